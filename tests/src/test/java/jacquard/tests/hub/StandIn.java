package jacquard.tests.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;

/// A hub on loopback, which answers as the real one: `127.0.0.1` is the hub, `localhost` the second host that large
/// files lie on.
public final class StandIn implements AutoCloseable {
  static final String COMMIT = "1a25a446712ba5ee05982a381eed697ef9b435cf";

  /// A request as it came.
  public record Asked(String method, String path, String host, String range, String token) {}

  /// Files by `REPOSITORY/NAME`.
  public final Map<String, byte[]> files = new ConcurrentHashMap<>();
  /// What to answer in place of a file of a repository: status, code, seconds to wait (negative: not said), how many
  /// times.
  public final Map<String, Object[]> refusals = new ConcurrentHashMap<>();
  public final List<Asked> asked = new CopyOnWriteArrayList<>();
  /// Bytes after which the next body is cut off; negative for never.
  volatile int cut = -1;
  /// Bytes of large files are sent with one changed.
  volatile boolean damaged;
  private final HttpServer server;

  public StandIn() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", e -> { try (e) { answer(e); } });
    server.start();
  }

  public String url() { return "http://127.0.0.1:" + server.getAddress().getPort(); }

  private void answer(HttpExchange e) throws IOException {
    var path = e.getRequestURI().getPath();
    var h = e.getRequestHeaders();
    asked.add(new Asked(e.getRequestMethod(), path, h.getFirst("Host"), h.getFirst("Range"),
        h.getFirst("Authorization")));
    if (path.startsWith("/lfs/")) {
      send(e, 200, files.values().stream().filter(b -> digest("SHA-256", b).equals(path.substring(5))).findFirst()
          .orElseThrow(), Map.of());
      return;
    }
    var m = java.util.regex.Pattern.compile("/(.+)/resolve/[^/]+/(.+)").matcher(path);
    if (!m.matches()) { send(e, 404, new byte[0], Map.of()); return; }
    var refusal = refusals.get(m.group(1));
    if (refusal != null && (int) refusal[3] > 0) {
      refusal[3] = (int) refusal[3] - 1;
      send(e, (int) refusal[0], new byte[0], (int) refusal[2] < 0 ? Map.of("X-Error-Code", (String) refusal[1])
          : Map.of("X-Error-Code", (String) refusal[1], "Retry-After", refusal[2].toString()));
      return;
    }
    var content = files.get(m.group(1) + "/" + m.group(2));
    boolean repository = files.keySet().stream().anyMatch(f -> f.startsWith(m.group(1) + "/"));
    if (content == null) {
      send(e, repository ? 404 : 401, new byte[0],
          Map.of("X-Error-Code", repository ? "EntryNotFound" : "RepoNotFound", "X-Repo-Commit", COMMIT));
      return;
    }
    if (m.group(2).endsWith(".safetensors") || m.group(2).endsWith(".bin")) {
      var sha = digest("SHA-256", content);
      send(e, 302, new byte[0], Map.of("Location", "http://localhost:" + server.getAddress().getPort() + "/lfs/" + sha,
          "X-Repo-Commit", COMMIT, "X-Linked-Etag", "\"" + sha + "\"", "X-Linked-Size", "" + content.length));
    } else {
      var blob = ("blob " + content.length + "\0").getBytes();
      var all = java.util.Arrays.copyOf(blob, blob.length + content.length);
      System.arraycopy(content, 0, all, blob.length, content.length);
      send(e, 200, content, Map.of("ETag", "\"" + digest("SHA-1", all) + "\"", "X-Repo-Commit", COMMIT));
    }
  }

  private void send(HttpExchange e, int status, byte[] body, Map<String, String> headers) throws IOException {
    headers.forEach(e.getResponseHeaders()::set);
    var range = e.getRequestHeaders().getFirst("Range");
    int from = 0;
    if (range != null && status == 200) {
      from = Integer.parseInt(range.replaceAll("\\D", ""));
      e.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (body.length - 1) + "/" + body.length);
      status = 206;
    }
    if (e.getRequestMethod().equals("HEAD") || body.length == from) {
      if (status == 200) e.getResponseHeaders().set("Content-Length", "" + body.length);
      e.sendResponseHeaders(status, -1);
      return;
    }
    e.sendResponseHeaders(status, body.length - from);
    byte[] sent = body.clone();
    if (damaged && body.length > 1000) sent[500] ^= 1;
    int end = cut >= 0 ? Math.min(body.length, from + cut) : body.length;
    cut = -1;
    try (var out = e.getResponseBody()) { out.write(sent, from, end - from); out.flush(); } catch (IOException short_) {
      e.close();
    }
  }

  static String digest(String algorithm, byte[] of) {
    try { return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(of));
        } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Override public void close() { server.stop(0); }
}
