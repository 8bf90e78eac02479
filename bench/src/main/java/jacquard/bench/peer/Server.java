package jacquard.bench.peer;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/// Files on this machine in ranges, each answer after 30 ms, as from afar. Of a hundred answers some fail: by status
/// 503, or cut in the middle.
public final class Server implements AutoCloseable {
  private static final int LATENCY = 30;
  private final List<Path> files;
  private final int faults;
  private final HttpServer server;
  private final AtomicInteger asked = new AtomicInteger();

  public Server(List<Path> files, int faults) throws IOException {
    this.files = files;
    this.faults = faults;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::answer);
    server.start();
  }

  /// Addresses of `count` shards; there are as many different ones as files.
  public List<String> names(int count) {
    return IntStream.range(0, count).mapToObj(i -> "http://localhost:" + server.getAddress().getPort()
        + "/%05d.tar".formatted(i)).toList();
  }

  private void answer(HttpExchange x) throws IOException {
    try (x) {
      Thread.sleep(LATENCY);
      var name = x.getRequestURI().getPath().substring(1);
      var file = files.get(Integer.parseInt(name.substring(0, 5)) % files.size());
      if (name.endsWith(".index")) file = file.resolveSibling(file.getFileName() + ".index");
      int n = asked.incrementAndGet();
      boolean fails = Math.floorMod(n * 37, 100) < faults;
      if (!Files.exists(file)) { x.sendResponseHeaders(404, -1); return; }
      if (fails && n % 2 == 0) { x.sendResponseHeaders(503, -1); return; }
      long size = Files.size(file);
      var bounds = x.getRequestHeaders().getFirst("Range").replace("bytes=", "").split("-");
      long from = Long.parseLong(bounds[0]), to = Math.min(size - 1, Long.parseLong(bounds[1]));
      var bytes = ByteBuffer.allocate((int) (to - from + 1));
      try (var channel = FileChannel.open(file)) {
        while (bytes.hasRemaining()) channel.read(bytes, from + bytes.position());
      }
      x.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + to + "/" + size);
      x.getResponseHeaders().set("ETag", "\"" + file.getFileName() + "\"");
      x.sendResponseHeaders(206, bytes.capacity());
      x.getResponseBody().write(bytes.array(), 0, fails ? bytes.capacity() / 2 : bytes.capacity());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override public void close() { server.stop(0); }
}
