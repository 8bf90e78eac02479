package jacquard.clip.hub;

import jacquard.clip.report.log.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;

/// One file over HTTP. A part that is there is gone on with; redirects are followed by hand, so that the token never
/// goes to a second host; the whole is checked by its length and, where the hub names its content by a SHA-256 or a git
/// blob's SHA-1, by that.
final class Transfer {
  private static final int TRIES = 5, REDIRECTS = 5;
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(60);

  private final Environment environment;
  private HttpClient client;

  Transfer(Environment environment) { this.environment = environment; }

  /// Made when something is fetched: its threads cost who loads a folder a tenth of a second, and disturb the JVM that
  /// writes the archive of classes.
  private synchronized HttpClient client() {
    if (client == null)
      client = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).connectTimeout(environment.patience())
          .build();
    return client;
  }

  /// What the hub says of a file before it is fetched.
  ///
  /// @param size bytes, or negative if not said
  record Head(URI at, String etag, String commit, long size) {}

  /// An answer that is no success.
  static final class Refusal extends IOException {
    final int status;
    final String code, said, commit;
    final long wait;

    Refusal(HttpResponse<?> r) {
      super("HTTP " + r.statusCode() + " of " + r.uri());
      status = r.statusCode();
      code = r.headers().firstValue("X-Error-Code").orElse("");
      said = r.headers().firstValue("X-Error-Message").orElse("");
      commit = r.headers().firstValue("X-Repo-Commit").orElse("");
      wait = r.headers().firstValue("Retry-After").filter(v -> v.matches("\\d{1,6}")).map(Long::parseLong).orElse(-1L);
    }

    boolean passing() { return status == 408 || status == 429 || status >= 500 && status <= 504; }
  }

  Head head(URI from) throws IOException, InterruptedException {
    for (int hop = 0; ; hop++) {
      var to = from;
      var r = tried(() -> answered(client().send(request(to, "HEAD").build(), HttpResponse.BodyHandlers.discarding())));
      System.getLogger(Transfer.class.getName()).log(System.Logger.Level.DEBUG, "{0}: {1}", to, r.statusCode() + "");
      var location = r.headers().firstValue("Location");
      var target = location.map(from::resolve).orElse(from);
      // A relative redirect is a repository that has moved; an absolute one is where the content lies.
      if (location.isPresent() && !URI.create(location.get()).isAbsolute()) {
        if (hop >= REDIRECTS) throw new IOException(from + " redirects without end");
        from = target;
        continue;
      }
      var etag = header(r, "X-Linked-Etag").or(() -> header(r, "ETag")).orElse("").replaceFirst("^W/", "")
          .replace("\"", "");
      long size = header(r, "X-Linked-Size").or(() -> location.isPresent() ? Optional.empty()
          : header(r, "Content-Length")).filter(v -> v.matches("\\d{1,18}")).map(Long::parseLong).orElse(-1L);
      return new Head(target, etag, header(r, "X-Repo-Commit").orElse(""), size);
    }
  }

  private static Optional<String> header(HttpResponse<?> r, String name) { return r.headers().firstValue(name); }

  /// Fetches what `head` describes into `file`, by way of `file.incomplete`.
  void fetch(Head head, Path file, String name) throws IOException, InterruptedException {
    var part = file.resolveSibling(file.getFileName() + ".incomplete");
    long there = Files.exists(part) ? Files.size(part) : 0, room =
        Files.getFileStore(part.toAbsolutePath().getParent()).getUsableSpace();
    if (head.size - there > room)
      throw new IOException(name + ": " + (head.size - there) + " bytes are to come, and " + room + " are free in "
          + file.getParent());
    try (var progress = environment.progress() && head.size > 1 << 20
        ? Progress.of(name, head.size).unit("bytes").from(Math.min(there, head.size)).open() : null) {
      tried(() -> {
        body(head, part, progress);
        return part;
      });
    }
    verify(head, part, name);
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private void body(Head head, Path part, Progress progress) throws IOException, InterruptedException {
    long from = Files.exists(part) ? Files.size(part) : 0;
    if (head.size >= 0 && from == head.size) return;
    if (head.size >= 0 && from > head.size) {
      Files.delete(part);
      from = 0;
    }
    var at = head.at;
    for (int hop = 0; ; hop++) {
      var request = request(at, "GET");
      if (from > 0) request.header("Range", "bytes=" + from + "-");
      var r = client().send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
      try (var in = r.body()) {
        if (r.statusCode() == 416) {
          Files.deleteIfExists(part);
          throw new IOException("the hub has nothing behind byte " + from);
        }
        answered(r);
        var location = r.headers().firstValue("Location");
        if (r.statusCode() >= 300 && location.isPresent()) {
          if (hop >= REDIRECTS) throw new IOException(at + " redirects without end");
          at = at.resolve(location.get());
          continue;
        }
        boolean on = r.statusCode() == 206
            && r.headers().firstValue("Content-Range").orElse("").startsWith("bytes " + from + "-");
        if (r.statusCode() == 206 && !on) throw new IOException("the hub sent another part than the one asked for");
        append(in, part, on ? from : 0, head.size, progress);
        return;
      }
    }
  }

  private void append(InputStream in, Path part, long from, long size, Progress progress) throws IOException {
    try (var out = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        var watch = new Watch(in, environment.patience())) {
      out.truncate(from).position(from);
      byte[] buffer = new byte[1 << 16];
      long at = from;
      for (int n; (n = in.read(buffer)) > 0; at += n) {
        watch.seen();
        if (size >= 0 && at + n > size)
          throw new IOException("the hub sends more than the " + size + " bytes that it named");
        for (var b = ByteBuffer.wrap(buffer, 0, n); b.hasRemaining(); ) out.write(b);
        if (progress != null) progress.advance(n);
      }
      out.force(true);
      if (size >= 0 && at < size) throw new IOException("the connection ended after " + at + " of " + size + " bytes");
    }
  }

  /// Closes a stream from which nothing has come for too long: the reader then fails, and goes on.
  private static final class Watch implements AutoCloseable {
    private volatile long last = System.nanoTime();
    private final Thread thread;

    Watch(InputStream in, Duration patience) {
      thread = Thread.ofVirtual().start(() -> {
        try {
          while (System.nanoTime() - last < patience.toNanos()) Thread.sleep(100);
          in.close();
        } catch (InterruptedException | IOException over) { Thread.currentThread().interrupt(); }
      });
    }

    void seen() { last = System.nanoTime(); }

    @Override public void close() { thread.interrupt(); }
  }

  private static void verify(Head head, Path part, String name) throws IOException {
    long size = Files.size(part);
    boolean sha256 = head.etag.matches("[0-9a-f]{64}"), git = head.etag.matches("[0-9a-f]{40}");
    String found = sha256 || git ? digest(part, sha256 ? "SHA-256" : "SHA-1", git ? "blob " + size + "\0" : "")
        : head.etag;
    if ((head.size < 0 || size == head.size) && found.equals(head.etag)) return;
    Files.delete(part);
    throw new IOException(name + ": what was downloaded is not what the hub named (" + size + " bytes, " + found
        + "; expected " + head.size + ", " + head.etag + "); it was deleted, try again");
  }

  private static String digest(Path file, String algorithm, String before) throws IOException {
    try (var in = Files.newInputStream(file)) {
      var d = MessageDigest.getInstance(algorithm);
      d.update(before.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      byte[] buffer = new byte[1 << 16];
      for (int n; (n = in.read(buffer)) > 0; ) d.update(buffer, 0, n);
      return HexFormat.of().formatHex(d.digest());
    } catch (NoSuchAlgorithmException e) { throw new AssertionError(e); }
  }

  private HttpRequest.Builder request(URI to, String method) {
    var r = HttpRequest.newBuilder(to).method(method, HttpRequest.BodyPublishers.noBody())
        .timeout(environment.patience()).header("Accept-Encoding", "identity").header("User-Agent", "jacquard/0.1");
    if (environment.token() != null && sameHost(to, environment.endpoint()))
      r.header("Authorization", "Bearer " + environment.token());
    return r;
  }

  private static boolean sameHost(URI a, URI b) {
    return a.getHost() != null && a.getHost().equalsIgnoreCase(b.getHost()) && a.getPort() == b.getPort()
        && a.getScheme().equalsIgnoreCase(b.getScheme());
  }

  private static <T> HttpResponse<T> answered(HttpResponse<T> r) throws Refusal {
    if (r.statusCode() >= 400) throw new Refusal(r);
    return r;
  }

  private interface Attempt<T> { T make() throws IOException, InterruptedException; }

  /// Again and again where a failure may pass: the busy, the interrupted; not where the hub says no, or nobody answers
  /// at all.
  private static <T> T tried(Attempt<T> attempt) throws IOException, InterruptedException {
    for (int i = 1; ; i++)
      try { return attempt.make(); } catch (IOException e) {
        var wait = OptionalLong.empty();
        if (e instanceof Refusal r) {
          if (r.passing()) wait = OptionalLong.of(r.wait >= 0 ? 1000 * r.wait : 250L << i);
        }
        else if (!Hub.unreachable(e)) wait = OptionalLong.of(100L << i);
        if (i >= TRIES || wait.isEmpty() || wait.getAsLong() > LONGEST_WAIT.toMillis()) throw e;
        Thread.sleep(wait.getAsLong());
      }
  }
}
