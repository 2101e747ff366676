# The formula of a release, which fills in the words in capitals that stand between at signs.
class Postino < Formula
  desc "Carries messages between agents that share nothing else"
  homepage "@HOME@"
  version "@VERSION@"
  license "MIT"

  depends_on :linux

  on_intel do
    url "@BASE@/postino-@VERSION@-x86_64-unknown-linux-musl.tar.gz"
    sha256 "@SHA256_X86_64@"
  end
  on_arm do
    url "@BASE@/postino-@VERSION@-aarch64-unknown-linux-musl.tar.gz"
    sha256 "@SHA256_AARCH64@"
  end

  def install
    bin.install "postino"
    man1.install Dir["man/man1/*.1"]
    bash_completion.install "completions/postino.bash" => "postino"
    zsh_completion.install "completions/_postino"
    fish_completion.install "completions/postino.fish"
    pwsh_completion.install "completions/_postino.ps1"
  end

  test do
    ENV["POSTINO_VALKEY_URL"] = "sqlite:#{testpath}/postino.db"
    system bin/"postino", "send", "reviewer", "hello"
    assert_equal "hello", shell_output("#{bin}/postino --agent reviewer read --raw")
  end
end
