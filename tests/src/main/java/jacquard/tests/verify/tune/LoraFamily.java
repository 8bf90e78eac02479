package jacquard.tests.verify.tune;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.nn.LowRank;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.task.Match;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.adapter.Adapter;
import jacquard.clip.tune.adapter.Modules;
import jacquard.clip.tune.adapter.PeftConfig;
import jacquard.clip.tune.task.Adapted;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import jacquard.tests.verify.model.ModelsFamily;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// LoRA and DoRA as PEFT trained them on transformers' CLIP, and on OpenCLIP's own tree: features with the adapter and
/// merged, five steps made again, and PEFT's files there and back.
public final class LoraFamily implements Family {
  private static final double FEATURES = 1e-5, LOSS = 1e-4, GRADIENT = 1e-4, WEIGHTS = 1e-6;

  @Override public String name() { return "tuning/lora"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    try (var cases = Files.list(folder)) {
      for (var c : cases.filter(Files::isDirectory).sorted().toList()) {
        var name = name() + "/" + c.getFileName();
        try (var _ = Scope.open(Conformance.device())) {
          new Case(name, folder, c, Inputs.read(folder)).verify(report);
        } catch (IOException | RuntimeException e) { report.failed(name, e); }
      }
    }
  }

  /// @param pixels NCHW
  private record Inputs(float[] pixels, int count, Grid grid, int[][] tokens) {
    static Inputs read(Path folder) throws IOException {
      try (var io = Safetensors.open(folder.resolve("io.safetensors"))) {
        int[] s = io.shape("images");
        return new Inputs(io.floats("images"), s[0], new Grid(s[2], s[3]), ModelsFamily.tokens(io, "tokens"));
      }
    }

    Batch batch() {
      int n = grid.size();
      float[] rows = new float[pixels.length];
      for (int b = 0; b < count; b++)
        for (int c = 0; c < 3; c++) for (int p = 0; p < n; p++) rows[(b * n + p) * 3 + c] = pixels[(b * 3 + c) * n + p];
      return Batch.of(rows, grid, tokens);
    }
  }

  private record Case(String name, Path folder, Path at, Inputs in) {
    private ClipModel base() throws IOException {
      return Checkpoint.load(ClipConfig.read(folder.resolve("config.json")), folder.resolve("weights.safetensors"));
    }

    void verify(Report report) throws IOException {
      var base = base();
      var adapter = Adapter.read(at, base);
      try (var values = Safetensors.open(at.resolve("values.safetensors"))) {
        var onto = adapter.onto(base);
        features(" with the adapter", onto, values, report);
        var merged = Adapter.merged(onto);
        features(" merged", merged, values, report);
        weights(merged, values, report);
        roundTrip(base, adapter, report);
        if (Files.exists(at.resolve("values.json"))) steps(adapter.config(), values, report);
      }
    }

    private void features(String what, ClipModel model, Safetensors values, Report report) throws IOException {
      var images = jacquard.clip.model.tower.ImageBatch.ofChannelsFirst(in.pixels, in.count, in.grid);
      report.check(name + what + ", image features",
          Measure.error(model.visual().features(images).floats(), values.floats("image_features")), FEATURES);
      report.check(name + what + ", text features",
          Measure.error(model.text().features(in.tokens).floats(), values.floats("text_features")), FEATURES);
    }

    /// The merged weights, by transformers' names.
    private void weights(ClipModel merged, Safetensors values, Report report) throws IOException {
      double worst = 0;
      int count = 0;
      for (var e : Modules.huggingFace(merged).entrySet()) {
        var recorded = "merged." + e.getKey() + ".weight";
        if (!values.contains(recorded)) continue;
        var p = e.getValue();
        float[] rows = p.layer().weight().slice(0, p.from(), p.to()).floats();
        worst = Math.max(worst, Measure.error(rows, values.floats(recorded)));
        count++;
      }
      if (count > 0) report.check(name + " " + count + " merged weights", worst, WEIGHTS);
    }

    /// Written by the product and read again: equal tensors.
    private void roundTrip(ClipModel base, Adapter adapter, Report report) throws IOException {
      var to = Files.createTempDirectory("adapter");
      adapter.write(to, base, "base", Adapter.hash(base));
      var again = Adapter.read(to, base);
      report.check(name + " written and read", same(adapter, again), "other tensors or another config");
      try (var ours = Safetensors.open(to.resolve("adapter_model.safetensors"));
           var theirs = Safetensors.open(at.resolve("adapter_model.safetensors"))) {
        var a = ours.names().stream().sorted().toList();
        var b = theirs.names().stream().map(n -> n.replace(".attn.base_layer.out_proj", ".attn.out_proj")).sorted()
            .toList();
        report.check(name + " names as PEFT's", a.equals(b), a + " and " + b);
      }
      for (var f : new String[] {"adapter_model.safetensors", "adapter_config.json"}) Files.delete(to.resolve(f));
      Files.delete(to);
    }

    private static boolean same(Adapter a, Adapter b) {
      return a.config().equals(b.config()) && a.pairs().keySet().equals(b.pairs().keySet())
          && a.pairs().entrySet().stream().allMatch(e -> {
            var other = b.pairs().get(e.getKey());
            for (int i = 0; i < other.size(); i++) if (!same(e.getValue().get(i), other.get(i))) return false;
            return e.getValue().size() == other.size();
          });
    }

    private static boolean same(LowRank.Pair a, LowRank.Pair b) {
      return a.scale() == b.scale() && a.from() == b.from() && a.to() == b.to()
          && Arrays.equals(a.down().floats(), b.down().floats()) && Arrays.equals(a.up().floats(), b.up().floats())
          && (a.magnitude() == null ? b.magnitude() == null
              : Arrays.equals(a.magnitude().floats(), b.magnitude().floats()));
    }

    /// Five steps of AdamW from PEFT's start.
    private void steps(PeftConfig config, Safetensors values, Report report) throws IOException {
      var base = base();
      var adapter = Adapter.fresh(base, config, 0);
      var onto = adapter.onto(base);
      var names = names(onto, adapter);
      for (var e : names.entrySet()) put(onto, e.getKey(), values.floats("start." + e.getValue()));
      var parameters = adapter.trained(onto);
      Task task = new Adapted(new Match(onto, parameters, Match.Loss.SOFTMAX), adapter, "base", "");
      var optimizer = new Optimizer(new Optimizer.AdamW(0.9, 0.999, 1e-8), parameters,
          _ -> new Optimizer.Rate(1, 1e-2));
      var losses = new ObjectMapper().readTree(at.resolve("values.json").toFile()).get("losses");
      double worst = 0, gradient = 0;
      for (int step = 0; step < 5; step++) {
        var r = Gradients.of(task, in.batch(), 1, Pass.training(Random.of(step)));
        double loss = losses.get(step).asDouble();
        worst = Math.max(worst, Math.abs(r.loss() - loss) / Math.abs(loss));
        if (step == 1) gradient = gradients(names, r.gradients(), values);
        optimizer.step(r.gradients(), 2e-2, 1);
      }
      report.check(name + " losses of 5 steps", worst, LOSS);
      report.check(name + " gradients of the second step", gradient, GRADIENT);
      var trained = Adapter.read(at, base);
      double end = 0;
      for (var e : trained.pairs().entrySet())
        for (int i = 0; i < e.getValue().size(); i++) {
          var ours = adapter.of(onto).pairs().get(e.getKey()).get(i);
          end = Math.max(end, Measure.error(ours.up().floats(), e.getValue().get(i).up().floats()));
        }
      report.check(name + " B after 5 steps", end, 1e-3);
    }

    /// The worst as a share of each tensor's largest, or of a thousandth of the largest of all.
    private static double gradients(Map<Slot, String> names, Map<String, Tensor> found,
        Safetensors values) throws IOException {
      double largest = 0, worst = 0;
      for (var n : names.values()) largest = Math.max(largest, Measure.largest(values.floats("grad_of_step_1." + n)));
      for (var e : names.entrySet()) {
        float[] expected = values.floats("grad_of_step_1." + e.getValue());
        float[] ours = part(found, e.getKey());
        double error = Measure.difference(ours, expected) / Math.max(Measure.largest(expected), 1e-3 * largest);
        if (!(error <= worst)) worst = error;
      }
      return worst;
    }

    /// A parameter's path, and which rows of it.
    private record Slot(String path, int from, int to) {}

    /// Our parameters by PEFT's names in memory.
    private static Map<Slot, String> names(ClipModel onto, Adapter adapter) {
      var r = new LinkedHashMap<Slot, String>();
      Modules.huggingFace(onto).forEach((module, p) -> {
        var pairs = adapter.pairs().get(p.path());
        if (pairs == null) return;
        for (int i = 0; i < pairs.size(); i++) {
          if (pairs.get(i).from() != p.from()) continue;
          var at = p.path() + ".lora." + i + ".";
          var stem = "base_model.model." + module;
          r.put(new Slot(at + "lora_A", 0, -1), stem + ".lora_A.default.weight");
          r.put(new Slot(at + "lora_B", 0, -1), stem + ".lora_B.default.weight");
          if (pairs.get(i).magnitude() != null)
            r.put(new Slot(at + "lora_magnitude_vector", 0, -1), stem + ".lora_magnitude_vector.default.weight");
          if (adapter.biases().containsKey(p.path()))
            r.put(new Slot(p.path() + (p.path().endsWith(".attn") ? ".in_proj_bias" : ".bias"), p.from(), p.to()),
                stem + ".base_layer.bias");
        }
      });
      return r;
    }

    private static float[] part(Map<String, Tensor> of, Slot s) {
      float[] all = of.get(s.path).floats();
      return s.to < 0 ? all : Arrays.copyOfRange(all, s.from, s.to);
    }

    private static void put(ClipModel model, Slot s, float[] values) {
      var t = Parameters.of(model).all().get(s.path);
      float[] all = t.floats().clone();
      System.arraycopy(values, 0, all, s.from, values.length);
      Checkpoint.put(t, all);
    }
  }
}
