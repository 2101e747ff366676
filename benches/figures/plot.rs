//! Curves as an SVG drawing, both axes by powers of ten. It knows numbers and names, nothing of what was measured.

use std::fmt::Write;

/// How large the drawing is, and where its axes lie in it.
const SIZE: (f64, f64) = (640.0, 360.0);
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 40.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 30.0;
const COLOURS: [&str; 6] = ["#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df", "#57606a"];

/// One line of a drawing: its name, and points of a size and the milliseconds measured there.
pub(crate) struct Curve {
    /// What the legend says.
    pub name: String,
    /// Size and milliseconds.
    pub points: Vec<(f64, f64)>,
}

/// Draws curves over a common size.
pub(crate) fn svg(title: &str, across: &str, curves: &[Curve]) -> String {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let (low, high) = range(points().map(|point| point.0));
    let (quick, slow) = range(points().map(|point| point.1));
    let x = |size: f64| LEFT + (size.log10() - low) / (high - low) * (SIZE.0 - LEFT - RIGHT);
    let y = |ms: f64| SIZE.1 - BOTTOM - (ms.log10() - quick) / (slow - quick) * (SIZE.1 - TOP - BOTTOM);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><text x=\"{LEFT}\" y=\"18\">{title}</text>\n",
        SIZE.0, SIZE.1
    );
    for power in low as i32..=high as i32 {
        let (size, at) = (10f64.powi(power), x(10f64.powi(power)));
        let _ = writeln!(out, "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{size}</text>", SIZE.1 - 22.0);
    }
    for power in quick as i32..=slow as i32 {
        let (ms, at) = (10f64.powi(power), y(10f64.powi(power)));
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {at:.1}H{}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{at:.1}\" text-anchor=\"end\">{ms} ms</text>",
            SIZE.0 - RIGHT,
            LEFT - 6.0
        );
    }
    let _ = writeln!(out, "<text x=\"{LEFT}\" y=\"{}\">{across}</text>", SIZE.1 - 6.0);
    for (n, (curve, colour)) in curves.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let line: Vec<String> =
            curve.points.iter().map(|(size, ms)| format!("{:.1},{:.1}", x(*size), y(*ms))).collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{}\" y=\"{}\" fill=\"{colour}\">{}</text>",
            line.join(" "),
            SIZE.0 - RIGHT + 8.0,
            TOP + 14.0 + 16.0 * n as f64,
            curve.name
        );
    }
    out + "</svg>\n"
}

/// The powers of ten around some numbers, one apart at least.
fn range(of: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = of.fold((f64::MAX, f64::MIN), |(low, high), n| (low.min(n), high.max(n)));
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    (low, high.max(low + 1.0))
}
