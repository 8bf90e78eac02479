package jacquard.tests.clip.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.names.Names;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Damaged files of weights: each is read, or refused by an error that names it; nothing else, in bounded time and
/// memory. `-Djacquard.mutants=N` sets how many of each format (200).
class MutantsTest {
  private static final int COUNT = Integer.getInteger("jacquard.mutants", 200);
  private static final Path FIXTURES = Path.of("src/main/resources/fixtures/checkpoints");
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"variants/bf16.pt", "variants/fsdp_scalar.pt", "openai/openai_jit.pt", "legacy_pickle.pt",
      "malicious.pt", "big_vision_stacked/weights.npz", "hf_clip/model.safetensors",
      "hub/open_clip_model.safetensors", "hub/open_clip_model.onnx", "sharded/model.safetensors.index.json"})
  void onlyClearErrors(String name) throws IOException {
    if (name.startsWith("sharded"))
      for (var shard : new String[] {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"})
        Files.copy(FIXTURES.resolve("sharded").resolve(shard), folder.resolve(shard));
    byte[] sound = name.endsWith(".onnx") ? OnnxTest.of(FIXTURES.resolve("hub/open_clip_model.safetensors"))
        : Files.readAllBytes(FIXTURES.resolve(name));
    var random = new Random(name.hashCode());
    var file = folder.resolve(Path.of(name).getFileName());
    int[] read = {0}, refused = {0};
    for (int i = 0; i < COUNT; i++) {
      byte[] mutant = mutant(sound, random, name.endsWith(".pt") || name.endsWith(".npz"));
      Files.write(file, mutant);
      int n = i;
      assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
        try (var w = Names.openClip(Weights.open(file))) {
          for (var tensor : w.names()) {
            long size = w.entry(tensor).byteCount();
            assertEquals(size, w.bytes(tensor).byteSize(), tensor);
          }
          read[0]++;
        } catch (IOException e) {
          refused[0]++;
          assertTrue(e.getMessage().contains(folder.toString()), "mutant " + n + " is refused without its name: " + e);
        }
      }, "mutant " + n);
    }
    assertTrue(refused[0] > COUNT / 10,
        read[0] + " read, " + refused[0] + " refused: the mutants are too sound to test anything");
  }

  /// Bytes changed, cut off, taken out or doubled; most where an archive's directory or a pickle lies, which are the
  /// first and last kilobytes.
  private static byte[] mutant(byte[] sound, Random random, boolean ends) {
    byte[] r = sound.clone();
    int kind = random.nextInt(6);
    if (kind == 0) return Arrays.copyOf(r, random.nextInt(r.length));
    if (kind == 1) {
      int at = random.nextInt(r.length), n = Math.min(r.length - at, 1 + random.nextInt(64));
      byte[] shorter = new byte[r.length - n];
      System.arraycopy(r, 0, shorter, 0, at);
      System.arraycopy(r, at + n, shorter, at, r.length - at - n);
      return shorter;
    }
    for (int i = 1 + random.nextInt(8); i > 0; i--) {
      int room = Math.min(r.length, 12_000), at = ends && random.nextBoolean() ? r.length - 1 - random.nextInt(room)
          : random.nextInt(room);
      switch (kind) {
        case 2 -> r[at] = (byte) random.nextInt(256);
        case 3 -> r[at] ^= (byte) (1 << random.nextInt(8));
        case 4 -> Arrays.fill(r, at, Math.min(r.length, at + 1 + random.nextInt(8)),
            (byte) (random.nextBoolean() ? 0xff : 0x7f));
        default -> System.arraycopy(r, random.nextInt(room), r, at,
            Math.min(16, Math.min(r.length - at, r.length - room)));
      }
    }
    return r;
  }
}
