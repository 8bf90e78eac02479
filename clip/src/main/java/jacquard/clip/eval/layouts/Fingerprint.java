package jacquard.clip.eval.layouts;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// SHA-256 of texts one after another.
public final class Fingerprint {
  private final MessageDigest sha;

  public Fingerprint() {
    try { sha = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) { throw new IllegalStateException(e); }
  }

  public Fingerprint add(String text) {
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    sha.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
    sha.update(bytes);
    return this;
  }

  public Fingerprint add(byte[] bytes, int count) {
    sha.update(bytes, 0, count);
    return this;
  }

  /// In hex. Asked once.
  @Override public String toString() { return HexFormat.of().formatHex(sha.digest()); }
}
