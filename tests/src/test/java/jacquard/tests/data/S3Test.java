package jacquard.tests.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import jacquard.clip.data.s3.S3;
import jacquard.clip.data.s3.Signature;
import jacquard.clip.data.shards.BlockCache;
import jacquard.clip.data.shards.Fields;
import jacquard.clip.data.shards.ShardWriter;
import jacquard.clip.data.shards.Shards;
import jacquard.tensor.Random;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Objects behind S3's signature: the published examples, and a stand-in server that refuses what is not signed
/// rightly. And shards that a command writes.
class S3Test {
  private static final List<String> NAMES = List.of("aws.accessKeyId", "aws.secretAccessKey", "aws.sessionToken",
      "aws.region", "aws.endpointUrlS3");
  @TempDir Path folder;
  private HttpServer server;
  private final AtomicInteger refused = new AtomicInteger();

  @AfterEach void end() {
    NAMES.forEach(System::clearProperty);
    if (server != null) server.stop(0);
  }

  /// Three requests without a body of AWS's documentation, "Signature calculations: examples".
  @Test void thePublishedExamplesAreSignedAsThere() {
    var s = new Signature("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", null, "us-east-1");
    var now = Instant.parse("2013-05-24T00:00:00Z");
    var host = "https://examplebucket.s3.amazonaws.com";
    assertEquals("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        signed(s.headers("GET", URI.create(host + "/test.txt"), Map.of("Range", "bytes=0-9"), now)));
    assertEquals("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        signed(s.headers("GET", URI.create(host + "/?lifecycle"), Map.of(), now)));
    assertEquals("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        signed(s.headers("GET", URI.create(host + "/?max-keys=2&prefix=J"), Map.of(), now)));
    var headers = s.headers("GET", URI.create(host + "/test.txt"), Map.of("Range", "bytes=0-9"), now);
    assertEquals("20130524T000000Z", headers.get("x-amz-date"));
    assertTrue(headers.get("authorization").startsWith("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/"
        + "us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature="));
    // the client writes the host, the caller his own
    assertFalse(headers.containsKey("host") || headers.containsKey("range"));
  }

  private static String signed(Map<String, String> headers) {
    return headers.get("authorization").replaceFirst(".*Signature=", "");
  }

  @Test void namesBecomeAddresses() throws IOException {
    var here = new S3(null, "eu-central-1", null);
    assertEquals("https://photos.s3.eu-central-1.amazonaws.com/a/b%20c%2B%C3%BC.tar",
        here.uri("s3://photos/a/b c+ü.tar").toString());
    assertEquals("https://s3.eu-central-1.amazonaws.com/my.photos/x.tar", here.uri("s3://my.photos/x.tar").toString());
    assertEquals("http://localhost:9000/photos/x.tar", new S3("http://localhost:9000/", "r", null)
        .uri("s3://photos/x.tar").toString());
    for (var wrong : List.of("s3://photos", "s3://photos/", "s3:///x", "s3://p/x", "s3://pho@tos/x"))
      assertTrue(assertThrows(IOException.class, () -> here.uri(wrong), wrong).getMessage()
          .contains("s3://BUCKET/KEY"));
    assertNull(S3.here().signer(), "no key, no signature");
    assertTrue(here.headers(here.uri("s3://photos/x"), Map.of()).isEmpty());
  }

  private void serve(Signature right) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", x -> answer(x, right));
    server.start();
    System.setProperty("aws.endpointUrlS3", "http://localhost:" + server.getAddress().getPort());
  }

  /// Refuses what is not signed with the key it knows, at this time, over range and condition.
  private void answer(HttpExchange x, Signature right) throws IOException {
    try (x) {
      var h = x.getRequestHeaders();
      var own = new LinkedHashMap<String, String>();
      for (var name : List.of("Range", "If-Match")) if (h.containsKey(name)) own.put(name, h.getFirst(name));
      var time = h.getFirst("x-amz-date");
      var at = time == null ? Instant.EPOCH
          : DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC).parse(time, Instant::from);
      var uri = URI.create("http://" + h.getFirst("Host") + x.getRequestURI().getRawPath());
      var expected = right.headers("GET", uri, own, at);
      if (!expected.get("authorization").equals(h.getFirst("Authorization"))
          || Duration.between(at, Instant.now()).abs().compareTo(Duration.ofMinutes(15)) > 0
          || right.token() != null && !right.token().equals(h.getFirst("x-amz-security-token"))) {
        refused.incrementAndGet();
        x.sendResponseHeaders(403, -1);
        return;
      }
      var file = folder.resolve(x.getRequestURI().getPath().substring("/photos/".length()));
      if (!Files.exists(file)) { x.sendResponseHeaders(404, -1); return; }
      byte[] all = Files.readAllBytes(file);
      var bounds = own.get("Range").replace("bytes=", "").split("-");
      int from = Integer.parseInt(bounds[0]), to = (int) Math.min(all.length - 1, Long.parseLong(bounds[1]));
      x.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + to + "/" + all.length);
      x.getResponseHeaders().set("ETag", "\"1\"");
      x.sendResponseHeaders(206, to - from + 1);
      x.getResponseBody().write(all, from, to - from + 1);
    }
  }

  private byte[][] write(int pairs) throws IOException {
    byte[][] pictures = new byte[pairs][500];
    try (var w = new ShardWriter(folder, pairs / 2, 5)) {
      for (int i = 0; i < pairs; i++) {
        new java.util.Random(i).nextBytes(pictures[i]);
        w.add("jpg", pictures[i], "caption " + i);
      }
      w.done();
    }
    return pictures;
  }

  private Shards open(List<String> names, boolean commands) throws IOException {
    var cache = new BlockCache(folder.resolve("cache"), 32L * (8 << 20)).commands(commands);
    return Shards.open("s3", List.of(new Shards.From(names, 1)), Fields.DEFAULT, cache);
  }

  @Test void shardsAreReadWithAKeyAndRefusedWithAnother() throws IOException {
    var pictures = write(6);
    serve(new Signature("KEY", "secret", "token", "eu-west-1"));
    System.setProperty("aws.accessKeyId", "KEY");
    System.setProperty("aws.secretAccessKey", "secret");
    System.setProperty("aws.sessionToken", "token");
    System.setProperty("aws.region", "eu-west-1");
    var names = List.of("s3://photos/00000.tar", "s3://photos/00001.tar");
    var shards = open(names, false);
    assertEquals(6, shards.size());
    for (int i = 0; i < 6; i++) {
      assertArrayEquals(pictures[i], shards.file(i));
      assertEquals("caption " + i, shards.caption(i, Random.of(1)));
    }
    assertEquals(0, refused.get());
    System.setProperty("aws.secretAccessKey", "other");
    var wrong = assertThrows(IOException.class, () -> open(names, false)).getMessage();
    assertTrue(wrong.contains("permission denied (403)") && wrong.contains("AWS_SECRET_ACCESS_KEY"), wrong);
    assertFalse(wrong.contains("other"), "a secret is told");
  }

  @Test void commandsRunOnlyWhereTheyAreAllowed() throws IOException {
    var pictures = write(4);
    var ran = folder.resolve("ran");
    var name = "pipe:echo >> '" + ran + "'; cat '" + folder.resolve("00000.tar") + "'";
    var refusal = assertThrows(IllegalArgumentException.class, () -> open(List.of(name), false)).getMessage();
    assertTrue(refusal.contains("--allow-pipes"), refusal);
    assertFalse(Files.exists(ran));
    var shards = open(List.of(name), true);
    assertEquals(2, shards.size());
    assertArrayEquals(pictures[1], shards.file(1));
    assertEquals(2, open(List.of(name), true).size());
    assertEquals(1, Files.readAllLines(ran).size(), "the command ran more than once");
    var failing = assertThrows(IOException.class, () -> open(List.of("pipe:cat x.tar; exit 3"), true)).getMessage();
    assertTrue(failing.contains("ended with status 3"), failing);
    try (var left = Files.list(folder.resolve("cache"))) {
      assertEquals(0, left.filter(f -> f.toString().endsWith(".part")).count());
    }
  }
}
