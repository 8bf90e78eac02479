package jacquard.clip.data.s3;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// AWS's signature, version 4, of a request:
/// HMAC(HMAC(HMAC(HMAC(HMAC("AWS4" + secret, day), region), "s3"), "aws4_request"), text).
///
/// @param key    the public part of an access key
/// @param secret the other part
/// @param token  of a session; null where there is none
/// @param region whose signature it is
public record Signature(String key, String secret, String token, String region) {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final String EMPTY = hex(sha256(""));
  private static final String ALGORITHM = "AWS4-HMAC-SHA256", SERVICE = "s3", ENDING = "aws4_request";

  /// The headers that a request without a body needs beside the given ones, `Host` excepted, which the client writes.
  ///
  /// @param headers that are signed too
  public SortedMap<String, String> headers(String method, URI uri, Map<String, String> headers, Instant now) {
    return headers(method, uri, headers, EMPTY, now);
  }

  /// The same of a request with a body.
  ///
  /// @param body its SHA-256, in hexadecimal digits
  public SortedMap<String, String> headers(String method, URI uri, Map<String, String> headers, String body,
      Instant now) {
    var signed = new TreeMap<String, String>();
    headers.forEach((name, value) -> signed.put(name.toLowerCase(Locale.ROOT), value.strip()));
    var time = TIME.format(now);
    signed.put("host", host(uri));
    signed.put("x-amz-date", time);
    signed.put("x-amz-content-sha256", body);
    if (token != null) signed.put("x-amz-security-token", token);
    var names = String.join(";", signed.keySet());
    var request = String.join("\n", method, uri.getRawPath().isEmpty() ? "/" : uri.getRawPath(), query(uri),
        signed.entrySet().stream().map(e -> e.getKey() + ":" + e.getValue() + "\n").collect(Collectors.joining()),
        names, body);
    var scope = String.join("/", time.substring(0, 8), region, SERVICE, ENDING);
    byte[] k = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
    for (var part : scope.split("/")) k = hmac(k, part);
    var signature = hex(hmac(k, String.join("\n", ALGORITHM, time, scope, hex(sha256(request)))));
    signed.put("authorization", ALGORITHM + " Credential=" + key + "/" + scope + ",SignedHeaders=" + names
        + ",Signature=" + signature);
    signed.remove("host");
    headers.keySet().forEach(name -> signed.remove(name.toLowerCase(Locale.ROOT)));
    return signed;
  }

  /// As the JDK's client writes it: with the port where it is not the scheme's own.
  static String host(URI uri) {
    int usual = uri.getScheme().equals("https") ? 443 : 80;
    return uri.getPort() < 0 || uri.getPort() == usual ? uri.getHost() : uri.getHost() + ":" + uri.getPort();
  }

  /// Its parts in order, each with a value.
  private static String query(URI uri) {
    if (uri.getRawQuery() == null) return "";
    return Arrays.stream(uri.getRawQuery().split("&")).map(p -> p.contains("=") ? p : p + "=").sorted()
        .collect(Collectors.joining("&"));
  }

  private static String hex(byte[] bytes) { return HexFormat.of().formatHex(bytes); }

  private static byte[] sha256(String text) {
    try { return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)); }
    catch (GeneralSecurityException e) { throw new IllegalStateException(e); }
  }

  private static byte[] hmac(byte[] key, String text) {
    try {
      var mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) { throw new IllegalStateException(e); }
  }
}
