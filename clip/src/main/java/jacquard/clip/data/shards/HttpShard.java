package jacquard.clip.data.shards;

import jacquard.clip.data.CaptionNumbers;
import jacquard.clip.data.s3.S3;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/// A shard behind `http`, `https` or `s3`, read in ranges of a block, which a cache keeps. A range that breaks off goes
/// on from the byte reached; what a server may mend is tried again, six times without a byte at most. A file that is
/// replaced meanwhile is an error, where the server tells by an ETag.
final class HttpShard implements ShardFile {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final int TRIES = 6, FIRST_WAIT = 20;
  private static final Pattern RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18})");
  /// Made for the first shard that lies behind an address.
  private static final class Client {
    static final HttpClient ONE = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(PATIENCE)
        .followRedirects(HttpClient.Redirect.NORMAL).build();
  }
  private static final ScheduledExecutorService WATCH =
      Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("shards-watch").factory());

  private final String address;
  private final BlockCache cache;
  private State state;
  private String tag;

  HttpShard(String address, BlockCache cache) {
    this.address = address;
    this.cache = cache;
  }

  /// Whether a name is an address.
  static boolean is(String name) {
    return name.startsWith("http://") || name.startsWith("https://") || S3.is(name);
  }

  @Override public String name() { return address.replaceFirst("\\?.*", ""); }       // what follows may be a secret

  @Override public synchronized State state() throws IOException {
    if (state != null) return state;
    var answer = new Answer();
    range(0, 1, answer);
    tag = answer.tag;
    return state = new State(answer.size, CaptionNumbers.hash(answer.tag != null ? answer.tag : answer.changed));
  }

  @Override public Path index() { return cache.folder().resolve("%016x.index".formatted(CaptionNumbers.hash(name()))); }

  @Override public byte[] shipped() {
    try {
      var beside = new HttpShard(address.replaceFirst("(\\?.*)?$", ".index$1"), cache);
      long size = beside.state().size();
      return size > Integer.MAX_VALUE / 2 ? null : beside.range(0, (int) size, new Answer());
    } catch (IOException none) {
      System.getLogger(HttpShard.class.getName()).log(System.Logger.Level.DEBUG, "no index beside " + name(), none);
      return null;
    }
  }

  @Override public byte[] read(long at, int length) throws IOException {
    long size = state().size();
    if (at < 0 || length < 0 || at > size - length)
      throw new EOFException(name() + " has " + size + " bytes, expected " + length + " more at " + at);
    byte[] r = new byte[length];
    for (int done = 0; done < length; ) {
      long block = (at + done) / BlockCache.BLOCK;
      int from = (int) (at + done - block * BlockCache.BLOCK), n = Math.min(length - done, BlockCache.BLOCK - from);
      System.arraycopy(cache.read(called(block), from, n, () -> block(block)), 0, r, done, n);
      done += n;
      if ((block + 1) * BlockCache.BLOCK < size) cache.ahead(called(block + 1), () -> block(block + 1));
    }
    return r;
  }

  private String called(long block) {
    return "%016x-%016x-%d".formatted(CaptionNumbers.hash(name()), CaptionNumbers.then(state.stamp(), state.size()),
        block);
  }

  private byte[] block(long block) throws IOException {
    long from = block * BlockCache.BLOCK;
    return range(from, (int) Math.min(BlockCache.BLOCK, state.size() - from), new Answer());
  }

  /// What a server said of the file.
  private static final class Answer {
    private String tag, changed = "";
    private long size = -1;
  }

  /// A refusal that another try would not mend.
  private static final class Refused extends IOException {
    Refused(String message) { super(message); }
  }

  private byte[] range(long from, int length, Answer answer) throws IOException {
    byte[] r = new byte[length];
    int done = 0, failed = 0;
    while (done < length) {
      int reached = done;
      try (var in = open(from + done, from + length - 1, answer)) {
        if (from + done >= answer.size) break;
        for (int n; done < length && (n = read(in, r, done)) >= 0; ) done += n;
        if (done == length) break;
        throw new EOFException("the answer ended " + (length - done) + " bytes early");
      } catch (Refused e) { throw e; }
      catch (IOException e) {
        failed = done > reached ? 1 : failed + 1;
        if (failed >= TRIES)
          throw new IOException(name() + ": bytes " + from + " to " + (from + length - 1) + " could not be read in "
              + TRIES + " tries: " + e.getMessage(), e);
        pause(failed);
      }
    }
    return done == length ? r : Arrays.copyOf(r, done);
  }

  /// 20·2ⁿ ms, half more or less.
  private static void pause(int failed) throws IOException {
    try { Thread.sleep((long) ((FIRST_WAIT << failed) * ThreadLocalRandom.current().nextDouble(0.5, 1.5))); }
    catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Refused("interrupted");
    }
  }

  /// A read that nothing comes for is ended from outside.
  private static int read(InputStream in, byte[] into, int at) throws IOException {
    var watch = WATCH.schedule(() -> {
      try { in.close(); } catch (IOException e) {
        System.getLogger(HttpShard.class.getName()).log(System.Logger.Level.DEBUG, "closing", e);
      }
    }, PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    try { return in.read(into, at, into.length - at); } finally { watch.cancel(false); }
  }

  /// With the condition that the file is still the same, and signed where it is to be.
  private HttpRequest.Builder request(Map<String, String> asked) throws IOException {
    var headers = new LinkedHashMap<>(asked);
    if (tag != null && !tag.startsWith("W/")) headers.put("If-Match", tag);
    var s3 = S3.is(address) ? S3.here() : null;
    var uri = s3 == null ? URI.create(address) : s3.uri(address);
    var r = HttpRequest.newBuilder(uri).timeout(PATIENCE);
    if (s3 != null) s3.headers(uri, headers).forEach(r::header);
    headers.forEach(r::header);
    return r;
  }

  private InputStream open(long from, long to, Answer answer) throws IOException {
    HttpRequest.Builder request;
    try { request = request(Map.of("Range", "bytes=" + from + "-" + to)); }
    catch (IllegalArgumentException e) { throw new Refused(name() + " is no address: " + e.getMessage()); }
    HttpResponse<InputStream> got;
    try { got = Client.ONE.send(request.build(), HttpResponse.BodyHandlers.ofInputStream()); }
    catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Refused(name() + ": interrupted");
    }
    int status = got.statusCode();
    if (status == 206) {
      var m = RANGE.matcher(got.headers().firstValue("Content-Range").orElse(""));
      if (m.matches() && Long.parseLong(m.group(1)) == from) {
        answer.size = Long.parseLong(m.group(3));
        answer.tag = got.headers().firstValue("ETag").orElse(null);
        answer.changed = got.headers().firstValue("Last-Modified").orElse("");
        if (state == null || state.size() == answer.size) return got.body();
      }
    }
    got.body().close();
    throw switch (status) {
      case 206 -> new Refused(name() + (state != null && answer.size != state.size() ? " changed while it was read"
          : ": the answer is another range than was asked for"));
      case 412 -> new Refused(name() + " changed while it was read");
      case 416 -> new Refused(name() + " is empty or shorter than before");
      case 200 -> new Refused(name() + ": the server does not serve ranges");
      case 404 -> new Refused(name() + ": no such file (404)");
      case 401, 403 -> new Refused(name() + ": permission denied (" + status + ")" + (S3.is(address)
          ? "; are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION set, and is the clock right?" : ""));
      case 301, 307, 400 -> new Refused(name() + ": status " + status + (S3.is(address)
          ? "; does the bucket lie in AWS_REGION?" : ""));
      default -> status >= 500 || status == 429 || status == 408 ? new IOException("status " + status)
          : new Refused(name() + ": status " + status);
    };
  }
}
