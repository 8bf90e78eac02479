package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.tensor.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/// `--gemm` and `--conv` where the library is not there, or the device has no choice.
class LibrariesTest {
  private static String[] with(String[] arguments, String... more) {
    var r = new ArrayList<>(Arrays.asList(arguments));
    r.addAll(List.of(more));
    return r.toArray(String[]::new);
  }

  private static String ended(Path folder, String... arguments) throws Exception {
    var out = folder.resolve("out");
    var p = Launcher.start(out, List.of("env", "JAVA_TOOL_OPTIONS=-Djacquard.cuda.vendors=off"), arguments);
    assertTrue(p.waitFor(3, TimeUnit.MINUTES));
    var text = Files.readString(out);
    assertEquals(0, p.exitValue(), text);
    return text;
  }

  /// The reason is told, our kernels do it, and the checkpoint says nothing of a library.
  @Test void aLibraryThatIsNotThere(@TempDir Path folder) throws Exception {
    var why = Device.unavailable().get("cuda");
    if (why != null) throw new TestAbortedException("no CUDA device: " + why);
    var text = ended(folder, with(Launcher.train(folder, Launcher.pictures(folder.resolve("pictures"), 8), "r", 3),
        "--device", "cuda", "--gemm", "cublas", "--conv", "cudnn"));
    for (var part : List.of("--gemm cublas: libcublas.so.12 was not found; the kernels of cuda do it",
        "--conv cudnn: libcudnn.so.8 was not found; the kernels of cuda do it"))
      assertTrue(text.contains(part), text);
    try (var file = Safetensors.open(folder.resolve("runs/r/resume.safetensors"))) {
      assertFalse(file.metadata().keySet().stream().anyMatch(k -> k.startsWith("library.")));
    }
  }

  @Test void aDeviceWithoutAChoice(@TempDir Path folder) throws Exception {
    var r = Launcher.run(with(Launcher.train(folder, Launcher.pictures(folder.resolve("pictures"), 8), "r", 3),
        "--device", "cpu", "--gemm", "cublas"));
    assertTrue(r.status() != 0 && r.text().contains("--gemm: device cpu knows no library cublas for gemm"), r.text());
  }
}
