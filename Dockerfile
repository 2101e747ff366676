# postino in a container: the static binary, root certificates for rediss://, and a user who is not root.
#
#     just binary && docker build -t postino .
#     docker run --rm -e POSTINO_VALKEY_URL -e POSTINO_AGENT_NAME=ci postino send reviewer "hello"
#
# An embedded store and everything else that is kept lies in the home folder: give it a volume (-v postino:/home/nonroot).
FROM gcr.io/distroless/static-debian12:nonroot
COPY --chmod=755 dist/postino /usr/local/bin/postino
USER 65532:65532
ENV POSTINO_HOME=/home/nonroot/postino
VOLUME /home/nonroot
ENTRYPOINT ["/usr/local/bin/postino"]
CMD ["--help"]
