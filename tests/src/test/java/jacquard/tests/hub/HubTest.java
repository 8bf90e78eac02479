package jacquard.tests.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.hub.Environment;
import jacquard.clip.hub.Hub;
import jacquard.clip.hub.Published;
import jacquard.clip.hub.Repository;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The hub's client against a stand-in on loopback.
class HubTest {
  private static final Repository REPOSITORY = Repository.of("hf-hub:org/model");
  private static final String LARGE = "open_clip_model.safetensors";
  @TempDir Path folder;
  private StandIn hub;
  private final byte[] weights = new byte[300_000];

  @BeforeEach void start() throws IOException {
    hub = new StandIn();
    new Random(1).nextBytes(weights);
    hub.files.put("org/model/" + LARGE, weights);
    hub.files.put("org/model/open_clip_config.json", "{}".getBytes());
  }

  @AfterEach void stop() { hub.close(); }

  private Hub client(String... more) {
    var env = new HashMap<>(Map.of("HF_ENDPOINT", hub.url(), "HF_HUB_CACHE", folder.resolve("hub").toString(),
        "HF_HOME", folder.toString(), "HF_HUB_DOWNLOAD_TIMEOUT", "3"));
    for (int i = 0; i < more.length; i += 2) env.put(more[i], more[i + 1]);
    return new Hub(Environment.of(env, folder));
  }

  private void fails(String part, Hub client, Repository r, String file) {
    var e = assertThrows(IOException.class, () -> client.file(r, file));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  @Test void layoutIsThatOfPythonsClient() throws IOException {
    var file = client().file(REPOSITORY, LARGE);
    var own = folder.resolve("hub/models--org--model");
    assertEquals(own.resolve("snapshots/" + StandIn.COMMIT + "/" + LARGE), file);
    assertEquals(Path.of("../../blobs/" + StandIn.digest("SHA-256", weights)), Files.readSymbolicLink(file));
    assertEquals(StandIn.COMMIT, Files.readString(own.resolve("refs/main")));
    assertArrayEquals(weights, Files.readAllBytes(file));
  }

  @Test void secondTimeOnlyAsks() throws IOException {
    client().file(REPOSITORY, LARGE);
    hub.asked.clear();
    client().file(REPOSITORY, LARGE);
    assertEquals(1, hub.asked.size());
    assertEquals("HEAD", hub.asked.getFirst().method());
    hub.asked.clear();
    client().file(new Repository("org/model", StandIn.COMMIT), LARGE);           // a commit never changes
    assertEquals(0, hub.asked.size());
  }

  @Test void tokenStaysWithTheFirstHost() throws IOException {
    client("HF_TOKEN", "hf_secret").file(REPOSITORY, LARGE);
    assertTrue(hub.asked.stream().anyMatch(a -> a.host().startsWith("localhost")), "the second host was asked");
    for (var a : hub.asked) {
      if (a.host().startsWith("localhost")) assertNull(a.token(), a.toString());
      else assertEquals("Bearer hf_secret", a.token(), a.toString());
    }
  }

  @Test void whatIsCutOffGoesOn() throws IOException {
    hub.cut = 100_000;
    assertArrayEquals(weights, Files.readAllBytes(client().file(REPOSITORY, LARGE)));
    assertTrue(hub.asked.stream().anyMatch(a -> "bytes=100000-".equals(a.range())), hub.asked.toString());
  }

  @Test void aPartOfAnEarlierProcessGoesOn() throws IOException {
    var blobs = Files.createDirectories(folder.resolve("hub/models--org--model/blobs"));
    Files.write(blobs.resolve(StandIn.digest("SHA-256", weights) + ".incomplete"),
        java.util.Arrays.copyOf(weights, 200_000));
    assertArrayEquals(weights, Files.readAllBytes(client().file(REPOSITORY, LARGE)));
    assertTrue(hub.asked.stream().anyMatch(a -> "bytes=200000-".equals(a.range())), hub.asked.toString());
  }

  @Test void damagedContentIsRefusedAndDeleted() throws IOException {
    hub.damaged = true;
    fails("not what the hub named", client(), REPOSITORY, LARGE);
    try (var left = Files.walk(folder.resolve("hub/models--org--model"))) {
      assertFalse(left.anyMatch(f -> Files.isRegularFile(f)), "nothing may be left");
    }
    hub.damaged = false;
    assertArrayEquals(weights, Files.readAllBytes(client().file(REPOSITORY, LARGE)));
  }

  @Test void refusalsSayWhatToDo() {
    fails("no such repository, or it is private; set HF_TOKEN", client(), Repository.of("no/such"), LARGE);
    fails("the token that is set may not", client("HF_TOKEN", "hf_x"), Repository.of("no/such"), LARGE);
    hub.refusals.put("org/model", new Object[] {403, "GatedRepo", -1, 9});
    fails("its owner grants access on request", client(), REPOSITORY, LARGE);
    hub.refusals.put("org/model", new Object[] {404, "RevisionNotFound", -1, 9});
    fails("no revision v9", client(), new Repository("org/model", "v9"), LARGE);
    hub.refusals.put("org/model", new Object[] {429, "", 600, 9});
    fails("too many requests; try again in 600 seconds", client(), REPOSITORY, LARGE);
    hub.refusals.put("org/model", new Object[] {503, "", 0, 99});
    fails("a fault of its own", client(), REPOSITORY, LARGE);
    hub.refusals.put("org/model", new Object[] {200, "", -1, 9});
    fails("is it a hub (HF_ENDPOINT), or the page of a network that wants a login?", client(), REPOSITORY, LARGE);
  }

  @Test void busyHubIsAskedAgain() throws IOException {
    hub.refusals.put("org/model", new Object[] {429, "", 0, 2});
    assertArrayEquals(weights, Files.readAllBytes(client().file(REPOSITORY, LARGE)));
  }

  @Test void withoutANetworkTheCacheServes() throws IOException {
    client().file(REPOSITORY, LARGE);
    hub.close();
    assertArrayEquals(weights, Files.readAllBytes(client().file(REPOSITORY, LARGE)));
    fails("cannot be reached (nobody answers there", client(), REPOSITORY, "other.bin");
  }

  @Test void offlineNothingIsAsked() throws IOException {
    client().file(REPOSITORY, LARGE);
    hub.asked.clear();
    client("HF_HUB_OFFLINE", "1").file(REPOSITORY, LARGE);
    fails("HF_HUB_OFFLINE is set", client("HF_HUB_OFFLINE", "1"), REPOSITORY, "other.bin");
    assertEquals(0, hub.asked.size());
  }

  @Test void unwritableCache() throws IOException {
    Files.writeString(folder.resolve("file"), "");
    fails("HF_HUB_CACHE", client("HF_HUB_CACHE", folder.resolve("file/hub").toString()), REPOSITORY, LARGE);
  }

  @Test void namesThatLeaveTheFolder() {
    assertThrows(IllegalArgumentException.class, () -> Repository.of("hf-hub:../x"));
    assertThrows(IllegalArgumentException.class, () -> Repository.of("a/b@../../x"));
    hub.files.put("org/model/../../../evil", new byte[1]);
    assertThrows(IOException.class, () -> client().file(REPOSITORY, "../../../evil"));
  }

  /// A repository of SigLIP as transformers has it becomes a model, with its tokenizer's folder.
  @Test void modelOfARepository() throws IOException {
    var of = Path.of("src/main/resources/fixtures");
    for (var f : new String[] {"config.json", "model.safetensors"})
      hub.files.put("org/siglip/" + f, Files.readAllBytes(of.resolve("checkpoints/hf_siglip/" + f)));
    hub.files.put("org/siglip/tokenizer.json", Files.readAllBytes(of.resolve("tokenizers/bert/tokenizer.json")));
    var files = new Published(client()).files("hf-hub:org/siglip", null);
    assertEquals(64, files.config().model().embedding());
    assertTrue(Files.exists(files.weights()) && Files.exists(files.tokenizer().resolve("tokenizer.json")));
    hub.close();
    assertEquals(files, new Published(client()).files("hf-hub:org/siglip", null));
  }

  @Test void unknownTagsAndModels() {
    var e = assertThrows(IllegalArgumentException.class, () ->
        new Published(client()).files("ViT-B-16-SigLIP", "webly"));
    assertTrue(e.getMessage().contains("Did you mean webli?"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new Published(client()).files("ViT-B-99", "openai"));
  }

  /// Every tag of every model names a repository, and a request for its weights is well formed.
  @Test void everyTag() throws IOException {
    int tags = 0;
    for (var model : jacquard.clip.model.Presets.names())
      for (var tag : jacquard.clip.model.Presets.pretrained(model).keySet()) {
        tags++;
        if (jacquard.clip.model.Presets.of(model).unsupported().isPresent()) continue;
        var e = assertThrows(IOException.class, () -> new Published(client("HF_HUB_OFFLINE", "1")).files(model, tag),
            model + " " + tag);
        assertTrue(e.getMessage().contains("HF_HUB_OFFLINE is set"), e.getMessage());
      }
    assertEquals(200, tags);
  }
}
