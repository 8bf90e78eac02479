package jacquard.clip.data.s3;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
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
