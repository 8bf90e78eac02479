package jacquard.tests.cli.train;

import static jacquard.tests.cli.Launcher.fails;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.report.log.MetricLog;
import jacquard.tests.cli.Launcher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Flags that choose what a training's loss is made of.
class LossFlagsTest {
  private static final String COCA = """
      {"embed_dim": 8, "vision_cfg": {"image_size": 16, "layers": 1, "width": 8, "head_width": 8, "patch_size": 8,
         "output_tokens": true},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 8, "heads": 1, "layers": 1, "embed_cls": true,
         "output_tokens": true},
       "multimodal_cfg": {"context_length": 8, "vocab_size": 49408, "width": 8, "heads": 1, "layers": 1},
       "custom_text": true}""";

  @TempDir Path folder;

  private String[] train(String name, String... more) throws IOException {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 8);
    var all = new ArrayList<>(List.of(Launcher.train(folder, pictures, name, 3)));
    all.set(all.indexOf("--model") + 1, Files.writeString(folder.resolve("coca.json"), COCA).toString());
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private List<MetricLog.Entry> metrics(String name, String... more) throws IOException {
    var e = Launcher.run(train(name, more));
    assertEquals(0, e.status(), e.text());
    return MetricLog.read(folder.resolve("runs").resolve(name).resolve("metrics.jsonl"));
  }

  @Test void weightsOfCaptionsAndPairs() throws IOException {
    var usual = metrics("usual").getFirst();
    var halves = metrics("halves", "--coca-caption-loss-weight", "1", "--coca-contrastive-loss-weight", "0.5")
        .getFirst();
    for (var term : List.of("loss", "caption_loss", "contrastive_loss"))
      assertEquals(usual.number(term) / 2, halves.number(term), 1e-6 * usual.number(term), term);
    var captions = metrics("captions", "--coca-contrastive-loss-weight", "0");
    assertEquals(0, captions.getFirst().number("contrastive_loss"));
    assertEquals(usual.number("caption_loss"), captions.getFirst().number("caption_loss"), 0);
    assertTrue(usual.number("contrastive_loss") > 0);
    assertEquals(captions.getFirst().number("logit_scale"), captions.getLast().number("logit_scale"), 0);
  }

  @Test void wrongWeightsAreRefused() throws IOException {
    fails("--coca-contrastive-loss-weight -1.0, expected 0 or more",
        train("never", "--coca-contrastive-loss-weight", "-1"));
    fails("--coca-contrastive-loss-weight NaN, expected 0 or more",
        train("never", "--coca-contrastive-loss-weight", "NaN"));
    fails("are both 0: nothing would be learned", train("never", "--coca-contrastive-loss-weight", "0",
        "--coca-caption-loss-weight", "0"));
    assertFalse(Files.exists(folder.resolve("runs/never")));
  }
}
