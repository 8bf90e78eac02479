package jacquard.tests.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import jacquard.clip.data.Preparation;
import jacquard.clip.data.shards.BlockCache;
import jacquard.clip.data.shards.Fields;
import jacquard.clip.data.shards.ShardWriter;
import jacquard.clip.data.shards.Shards;
import jacquard.tensor.Random;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Shards behind a server on this machine that fails as real ones do.
class HttpShardsTest {
  private static final Random DRAW = Random.of(1);
  private static final long ROOM = 32L * (8 << 20);
  @TempDir Path folder;
  private HttpServer server;
  private final AtomicInteger asked = new AtomicInteger(), failed = new AtomicInteger();
  /// How many of 100 answers fail: by a status, or cut in the middle.
  private volatile int faults;
  private volatile String tag = "\"1\"";
  private volatile boolean ranges = true;

  @BeforeEach void begin() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::answer);
    server.start();
  }

  @AfterEach void end() { server.stop(0); }

  private void answer(HttpExchange x) throws IOException {
    try (x) {
      int n = asked.incrementAndGet();
      var file = folder.resolve(x.getRequestURI().getPath().substring(1));
      if (!Files.exists(file)) { x.sendResponseHeaders(404, -1); return; }
      boolean fails = Math.floorMod(n * 37, 100) < faults;
      if (fails) failed.incrementAndGet();
      if (fails && n % 2 == 0) { x.sendResponseHeaders(503, -1); return; }
      var match = x.getRequestHeaders().getFirst("If-Match");
      if (match != null && !match.equals(tag)) { x.sendResponseHeaders(412, -1); return; }
      byte[] all = Files.readAllBytes(file);
      if (!ranges) { x.sendResponseHeaders(200, all.length); x.getResponseBody().write(all); return; }
      var bounds = x.getRequestHeaders().getFirst("Range").replace("bytes=", "").split("-");
      int from = Integer.parseInt(bounds[0]), to = (int) Math.min(all.length - 1, Long.parseLong(bounds[1]));
      x.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + to + "/" + all.length);
      x.getResponseHeaders().set("ETag", tag);
      x.sendResponseHeaders(206, to - from + 1);
      x.getResponseBody().write(all, from, fails ? (to - from + 1) / 2 : to - from + 1);
      if (fails) x.getResponseBody().flush();
    } catch (IOException cut) { failed.addAndGet(0); }                           // an answer that was cut on purpose
  }

  private byte[][] write(int pairs, int bytes, int perShard) throws IOException {
    byte[][] pictures = new byte[pairs][bytes];
    try (var w = new ShardWriter(folder, perShard, 5)) {
      for (int i = 0; i < pairs; i++) {
        new java.util.Random(i).nextBytes(pictures[i]);
        w.add("jpg", pictures[i], "caption " + i);
      }
      w.done();
    }
    return pictures;
  }

  private Shards open(int shards, Path cache) throws IOException {
    var names = IntStream.range(0, shards)
        .mapToObj(i -> "http://localhost:" + server.getAddress().getPort() + "/%05d.tar".formatted(i)).toList();
    return Shards.open("remote", List.of(new Shards.From(names, 1)), Fields.DEFAULT, new BlockCache(cache, ROOM));
  }

  @Test void everyByteArrivesThroughFaults() throws IOException {
    var pictures = write(240, 300_000, 60);                                      // 18 MB a shard
    // two come with an index
    for (int i = 0; i < 4; i += 2) Files.delete(folder.resolve("%05d.tar.index".formatted(i)));
    faults = 30;
    var shards = open(4, folder.resolve("cache"));
    assertEquals(240, shards.size());
    IntStream.range(0, 240).parallel().forEach(i -> {
      try {
        assertArrayEquals(pictures[i], shards.file(i));
        assertEquals("caption " + i, shards.caption(i, DRAW));
      } catch (IOException e) { throw new AssertionError(e); }
    });
    assertTrue(failed.get() >= 3, failed + " of " + asked + " answers failed");
    int before = asked.get();
    assertArrayEquals(pictures[7], shards.file(7));                              // from the disk
    var again = open(4, folder.resolve("cache"));
    assertArrayEquals(pictures[200], again.file(200));
    assertTrue(asked.get() <= before + 4 * 6, "blocks that are kept were asked for again: " + (asked.get() - before));
  }

  @Test void theCacheStaysWithinItsSize() throws IOException {
    int n = 36;
    var pictures = write(n, 8 << 20, n);                                         // more than there is room for
    var cache = new BlockCache(folder.resolve("cache"), ROOM);
    var name = "http://localhost:" + server.getAddress().getPort() + "/00000.tar";
    var shards = Shards.open("remote", List.of(new Shards.From(List.of(name), 1)), Fields.DEFAULT, cache);
    for (int i = 0; i < n; i++) assertArrayEquals(pictures[i], shards.file(i));
    assertArrayEquals(pictures[0], shards.file(0));
    assertTrue(cache.bytes() <= ROOM && cache.bytes() > ROOM / 2, cache.bytes() + " bytes");
  }

  @Test void whatCannotBeMendedIsSaidAtOnce() throws IOException {
    write(4, 1000, 4);
    var shards = open(1, folder.resolve("cache"));
    tag = "\"2\"";
    var changed = assertThrows(Preparation.LeftOut.class, () -> shards.file(0));
    assertTrue(changed.getMessage().contains("00000.tar changed while it was read"), changed.getMessage());
    int before = asked.get();
    assertTrue(assertThrows(IOException.class, () -> open(2, folder.resolve("other"))).getMessage()
        .contains("00001.tar: no such file (404)"));
    assertTrue(asked.get() - before <= 4, "a missing file was asked for again and again");
    ranges = false;
    assertTrue(assertThrows(IOException.class, () -> open(1, folder.resolve("third"))).getMessage()
        .contains("does not serve ranges"));
    ranges = true;
    faults = 100;
    server.removeContext("/");
    server.createContext("/", x -> { try (x) { asked.incrementAndGet(); x.sendResponseHeaders(503, -1); } });
    before = asked.get();
    assertTrue(assertThrows(IOException.class, () -> open(1, folder.resolve("fourth"))).getMessage()
        .contains("in 6 tries: status 503"));
    assertEquals(before + 6, asked.get(), "six tries, and nobody who was left from before tries too");
  }
}
