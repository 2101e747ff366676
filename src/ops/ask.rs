//! Asking: a message, and the answer to it.

use std::time::{Duration, Instant};

use super::{Ctx, HistoryRequest, ReadRequest, Reading, SendRequest, history, read_one, send};
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, MessageId, Standing};
use crate::store::{Record, Scope};

/// Messages of the thread looked at for an answer.
const THREAD_LIMIT: i64 = 200;

/// An answer, and what is owed once it has been flushed to the asker.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The answer.
    pub record: Record,
    /// Acknowledge this with `ack_read` after the flush.
    pub reading: Reading,
}

/// A question that was sent.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The message.
    pub question: MessageId,
    /// Who was asked.
    pub to: AgentName,
    /// How long to wait for the answer.
    pub wait: Duration,
    /// When that is over.
    pub until: Instant,
}

/// Sends a question, whose answer is to be waited for up to `wait`. Nothing is sent when the own mailbox may not be read.
pub fn ask(ctx: &Ctx<'_>, request: &SendRequest, wait: Duration) -> Result<Asked> {
    let until = ctx.machine.instant() + wait;
    may_read(ctx)?;
    let question = send(ctx, request)?.id;
    Ok(Asked { question, to: request.to.clone(), wait, until })
}

/// Waits for a reply to a question, which it takes out of the own mailbox wherever it stands there. `TimedOut` when none came;
/// a late reply comes as ordinary mail. After another failure it can be called again.
pub fn answer(ctx: &Ctx<'_>, asked: &Asked) -> Result<Answer> {
    let question = asked.question;
    let mut waiter = ctx.store.waiter(&Scope::Mail(ctx.actor.name.clone()))?;
    loop {
        if let Some(record) = answer_to(ctx, question)? {
            let reading = match record.standing {
                Standing::Waiting => read_one(ctx, record.message.id, &ReadRequest::default())?,
                // Another reader of this mailbox has it; the answer is an answer all the same.
                Standing::Leased | Standing::Taken | Standing::Dead => Reading::default(),
            };
            return Ok(Answer { record, reading });
        }
        if ctx.machine.instant() >= asked.until {
            let (to, secs) = (&asked.to, asked.wait.as_secs());
            let error = Error::new(Kind::TimedOut, format!("{to} did not answer {question} within {secs} s"));
            return Err(error.hint(late(question)));
        }
        waiter.wait(asked.until)?;
    }
}

/// What to do about a question that was sent and not answered.
pub fn late(question: MessageId) -> String {
    format!("a late answer comes as mail; `postino history --thread {question}` shows what became of the question")
}

/// Fails when the own mailbox may not be read. Releasing no receipts of a mailbox is judged like a read and changes nothing.
fn may_read(ctx: &Ctx<'_>) -> Result<()> {
    ctx.step(|step| ctx.store.settle(step, &[], crate::store::Settle::Release)).map(|_| ())
}

/// The first reply to `question`, as long as it is kept.
fn answer_to(ctx: &Ctx<'_>, question: MessageId) -> Result<Option<Record>> {
    let thread = show_thread(ctx, question)?;
    Ok(thread
        .into_iter()
        .rev()
        .find(|record| record.message.reply_to == Some(question) && record.message.to == ctx.actor.name))
}

fn show_thread(ctx: &Ctx<'_>, question: MessageId) -> Result<Vec<Record>> {
    let asked = ctx.step(|step| ctx.store.find(step, question))?;
    let thread = asked.map_or(question, |asked| asked.message.thread);
    let request = HistoryRequest { thread: Some(thread), limit: Some(THREAD_LIMIT), ..HistoryRequest::default() };
    Ok(history(ctx, &request)?.items)
}
