package jacquard.tests.verify.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;

/// Every model of OpenCLIP's registry: the name and shape of each tensor.
public final class RegistryFamily implements Family {
  @Override public String name() { return "registry"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    try (var in = new GZIPInputStream(Files.newInputStream(folder.resolve("registry.json.gz")))) {
      for (var e : new ObjectMapper().readTree(in).get("models").properties()) {
        var name = "registry/" + e.getKey();
        try {
          var config = ClipConfig.of(e.getValue().get("cfg"));
          if (config.unsupported().isPresent()) {
            report.skipped(name, config.unsupported().get() + ": not built yet");
            continue;
          }
          var expected = new TreeMap<String, String>();
          for (var t : e.getValue().get("state").properties()) expected.put(t.getKey(), t.getValue().toString());
          var found = new TreeMap<String, String>();
          Checkpoint.shapes(ClipModel.describe(config)).forEach((n, s) -> found.put(n, s.toString().replace(" ", "")));
          var missing = new TreeMap<>(expected);
          found.forEach(missing::remove);
          var extra = new TreeMap<>(found);
          expected.forEach(extra::remove);
          report.check(name, missing.isEmpty() && extra.isEmpty(), "expected " + missing + ", found " + extra);
        } catch (RuntimeException x) { report.failed(name, x); }
      }
    }
  }
}
