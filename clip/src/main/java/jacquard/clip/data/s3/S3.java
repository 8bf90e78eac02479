package jacquard.clip.data.s3;

import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.function.UnaryOperator;

/// What `s3://BUCKET/KEY` means here: an address, and a signature where there is an access key. The names are AWS's
/// own: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION (or AWS_DEFAULT_REGION) and
/// AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL) of the environment, or the Java properties aws.accessKeyId,
/// aws.secretAccessKey, aws.sessionToken, aws.region, aws.endpointUrlS3 before them. Without a key requests are not
/// signed, which public buckets allow.
///
/// @param endpoint of another service than Amazon's, with its buckets as folders; null: Amazon's
/// @param region   as AWS writes it
/// @param signer   null: none
public record S3(String endpoint, String region, Signature signer) {
  private static final String SCHEME = "s3://", USUAL = "us-east-1";
  /// Bytes that one request may write.
  private static final long MOST = 5L << 30;
  private static final int TRIES = 3;
  private static final Duration PATIENCE = Duration.ofMinutes(30);
  private static final Pattern CODE = Pattern.compile("<Code>([A-Za-z0-9]{1,64})</Code>");

  /// Whether a name is one of these.
  public static boolean is(String name) { return name.startsWith(SCHEME); }

  public static S3 here() { return of(System::getProperty, System::getenv); }

  /// @param properties,environment the value of a name; null where there is none
  static S3 of(UnaryOperator<String> properties, UnaryOperator<String> environment) {
    var region = first(properties.apply("aws.region"), environment.apply("AWS_REGION"),
        environment.apply("AWS_DEFAULT_REGION"), USUAL);
    var endpoint = first(properties.apply("aws.endpointUrlS3"), environment.apply("AWS_ENDPOINT_URL_S3"),
        environment.apply("AWS_ENDPOINT_URL"));
    var key = first(properties.apply("aws.accessKeyId"), environment.apply("AWS_ACCESS_KEY_ID"));
    var secret = first(properties.apply("aws.secretAccessKey"), environment.apply("AWS_SECRET_ACCESS_KEY"));
    var token = first(properties.apply("aws.sessionToken"), environment.apply("AWS_SESSION_TOKEN"));
    return new S3(endpoint, region, key == null || secret == null ? null : new Signature(key, secret, token, region));
  }

  private static String first(String... values) {
    for (var v : values) if (v != null && !v.isBlank()) return v.strip();
    return null;
  }

  /// Where an object lies.
  ///
  /// @throws IOException where the name has no bucket or no key
  public URI uri(String name) throws IOException {
    int slash = name.indexOf('/', SCHEME.length());
    var bucket = slash < 0 ? "" : name.substring(SCHEME.length(), slash);
    var key = slash < 0 ? "" : name.substring(slash + 1);
    if (!bucket.matches("[A-Za-z0-9._-]{3,63}") || key.isEmpty())
      throw new IOException(name + " is no object, expected s3://BUCKET/KEY");
    var path = "/" + encoded(key);
    if (endpoint != null) return URI.create(endpoint.replaceFirst("/+$", "") + "/" + bucket + path);
    // a dot in the name of a host is not covered by the certificate
    return URI.create(bucket.contains(".") ? "https://s3.%s.amazonaws.com/%s%s".formatted(region, bucket, path)
        : "https://%s.s3.%s.amazonaws.com%s".formatted(bucket, region, path));
  }

  /// The headers to send beside those given.
  public Map<String, String> headers(URI uri, Map<String, String> headers) {
    return signer == null ? Map.of() : signer.headers("GET", uri, headers, Instant.now());
  }

  /// Writes a file as an object, whole or not at all.
  ///
  /// @throws IOException with what the server says, where it does not take it; it is tried three times
  public void put(String name, Path file) throws IOException {
    var uri = uri(name);
    if (Files.size(file) > MOST)
      throw new IOException(file + " has %,d bytes; one object takes %,d".formatted(Files.size(file), MOST));
    IOException last = null;
    for (int t = 0; t < TRIES; t++) {
      var request = HttpRequest.newBuilder(uri).timeout(PATIENCE).PUT(HttpRequest.BodyPublishers.ofFile(file));
      if (signer != null)
        signer.headers("PUT", uri, Map.of(), sha256(file), Instant.now()).forEach(request::header);
      try (var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(10)).build()) {
        var answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() / 100 == 2) return;
        last = new IOException("%s: the server answers %d%s".formatted(name, answer.statusCode(), said(answer.body())));
        if (answer.statusCode() / 100 == 4 && answer.statusCode() != 429 && answer.statusCode() != 408) throw last;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException(name + ": interrupted", e);
      } catch (IOException e) {
        if (e == last) throw e;
        last = new IOException(name + ": " + Reason.of(e), e);
      }
    }
    throw last;
  }

  /// The code that an answer's XML gives.
  private static String said(String body) {
    var m = CODE.matcher(body == null ? "" : body);
    return m.find() ? ", " + m.group(1) : "";
  }

  private static String sha256(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      var digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[1 << 16];
      for (int n; (n = in.read(buffer)) >= 0; ) digest.update(buffer, 0, n);
      return HexFormat.of().formatHex(digest.digest());
    } catch (GeneralSecurityException e) { throw new IllegalStateException(e); }
  }

  /// What is not a letter, a digit or one of -._~/ as percents.
  private static String encoded(String key) {
    var r = new StringBuilder();
    for (byte b : key.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 255);
      if (c < 128 && (Character.isLetterOrDigit(c) || "-._~/".indexOf(c) >= 0)) r.append(c);
      else r.append("%%%02X".formatted(b & 255));
    }
    return r.toString();
  }
}
