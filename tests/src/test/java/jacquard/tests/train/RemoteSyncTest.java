package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import jacquard.clip.data.s3.Signature;
import jacquard.clip.train.remote.RemoteSync;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Copies of a run's folder.
@Timeout(30)
class RemoteSyncTest {
  @TempDir Path folder;

  private Path run() throws IOException {
    var run = Files.createDirectories(folder.resolve("runs/mine"));
    Files.createDirectories(run.resolve("last"));
    Files.writeString(run.resolve("resume.safetensors"), "r1");
    Files.writeString(run.resolve("last/open_clip_model.safetensors"), "m1");
    Files.writeString(run.resolve("metrics.jsonl"), "{}");
    Files.writeString(run.resolve(".lock"), "");
    return run;
  }

  @Test void filesAreCopiedAsTheyChange() throws Exception {
    var run = run();
    var to = folder.resolve("far/away");
    try (var _ = RemoteSync.begin(run, to.toString(), 3600, m -> { throw new AssertionError(m); })) {
      assertEquals("r1", Files.readString(to.resolve("mine/resume.safetensors")));
      assertEquals("m1", Files.readString(to.resolve("mine/last/open_clip_model.safetensors")));
      assertFalse(Files.exists(to.resolve("mine/.lock")));
      Files.writeString(run.resolve("resume.safetensors"), "later");
      Files.writeString(run.resolve("report.html"), "page");
    }
    // at the end, without waiting
    assertEquals("later", Files.readString(to.resolve("mine/resume.safetensors")));
    assertEquals("page", Files.readString(to.resolve("mine/report.html")));
  }

  @Test void whatCannotBeWrittenIsSaid() throws Exception {
    var run = run();
    var file = Files.writeString(folder.resolve("file"), "x");
    assertThrows(IOException.class, () -> RemoteSync.begin(run, file.toString(), 3600, _ -> {}));
    var said = Collections.synchronizedList(new ArrayList<String>());
    var to = folder.resolve("gone");
    try (var _ = RemoteSync.begin(run, to.toString(), 3600, said::add)) {
      Files.move(to, folder.resolve("elsewhere"));
      Files.writeString(to, "a file now");
      Files.writeString(run.resolve("metrics.jsonl"), "{}{}");
    }
    assertEquals(2, said.size(), said.toString());
    assertTrue(said.getFirst().startsWith("--remote-sync: ") && said.getLast()
        .contains("lacks what the run wrote last"), said.toString());
  }

  /// The example of AWS's documentation with a body, "Signature calculations: PUT object".
  @Test void thePublishedExampleIsSignedAsThere() {
    var s = new Signature("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", null, "us-east-1");
    var headers = s.headers("PUT", URI.create("https://examplebucket.s3.amazonaws.com/test%24file.text"),
        Map.of("Date", "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class", "REDUCED_REDUNDANCY"),
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072", Instant.parse("2013-05-24T00:00:00Z"));
    assertTrue(headers.get("authorization")
        .endsWith("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"), headers.toString());
  }

  /// Objects under the run's name, what going on needs last; a fault of the server is mended by another try.
  @Test void objectsAreWritten() throws Exception {
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    var put = Collections.synchronizedList(new ArrayList<String>());
    server.createContext("/", e -> {
      var body = new String(e.getRequestBody().readAllBytes());
      boolean first = put.isEmpty();
      boolean signed = String.valueOf(e.getRequestHeaders().getFirst("authorization")).contains("Credential=KEY/");
      put.add(e.getRequestMethod() + " " + e.getRequestURI() + " " + body + (signed ? "" : " unsigned"));
      e.sendResponseHeaders(first ? 503 : 200, -1);
      e.close();
    });
    server.start();
    var properties = Map.of("aws.accessKeyId", "KEY", "aws.secretAccessKey", "secret", "aws.endpointUrlS3",
        "http://localhost:" + server.getAddress().getPort());
    properties.forEach(System::setProperty);
    try (var _ = RemoteSync.begin(run(), "s3://bucket/some/prefix/", 3600, m -> { throw new AssertionError(m); })) {
      assertEquals(List.of("PUT /bucket/some/prefix/mine/last/open_clip_model.safetensors m1",
          "PUT /bucket/some/prefix/mine/last/open_clip_model.safetensors m1",
          "PUT /bucket/some/prefix/mine/metrics.jsonl {}",
          "PUT /bucket/some/prefix/mine/resume.safetensors r1"), put);
    } finally {
      properties.keySet().forEach(System::clearProperty);
      server.stop(0);
    }
    assertEquals(4, put.size());
  }
}
