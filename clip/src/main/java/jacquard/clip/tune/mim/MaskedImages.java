package jacquard.clip.tune.mim;

import jacquard.autograd.Named;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.loss.CosineLoss;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.Hidden;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.Positions;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.train.task.Joined;
import jacquard.clip.train.task.Pictured;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Masked image modelling as EVA-02 does it (Fang et al. 2023): blocks of a picture's patches are hidden from the image
/// tower, which foretells there what a frozen CLIP's tower sees of the whole picture. Captions are not read. What is
/// published is the CLIP that the tower belongs to, its other half as it began.
///
/// @param model   whose image tower learns
/// @param student that tower and what it needs for this alone
/// @param mask    of each picture
public record MaskedImages(ClipModel model, Student student, Parameters parameters, ClipModel teacher, BlockMask mask)
    implements Task {
  private static final Init START = new Init.Truncated(0.02);

  /// @param token what stands in place of a hidden patch, `[width]`
  /// @param head  from the tower's rows to the teacher's features
  public record Student(ImageTower visual, @Named("mask_token") Tensor token, @Named("lm_head") Linear head) {
    /// Paths of what the model has not.
    private List<String> own() { return Parameters.of(this).all().keySet().stream().filter(p ->
        !p.startsWith("visual.")).toList(); }

    private Student of(ImageTower tower) {
      return new Student(tower, token.copy(), Parameters.map(head, (_, t) -> t.copy()));
    }
  }

  /// @param share how much of a picture is hidden
  /// @throws IllegalArgumentException if one of the towers is none of patches, or both see other patches
  static MaskedImages of(ClipModel model, List<String> frozen, ClipModel teacher, double share, long seed) {
    var cells = cells(model.visual(), "the student");
    var taught = cells(teacher.visual(), "the teacher");
    if (!cells.grid().equals(taught.grid()))
      throw new IllegalArgumentException("the teacher sees " + taught.grid() + " patches, the student " + cells.grid()
          + ": each patch learns of the one at its place, so both must have as many");
    if (cells.grid().height() != cells.grid().width() || !(share > 0 && share < 1))
      throw new IllegalArgumentException("a share of " + share + " of " + cells.grid() + " patches is to be hidden, "
          + "expected more than 0 and less than 1 of a square");
    int width = Parameters.of(model.visual()).all().get(cells.path()).shape().dims()[rank(model, cells) - 1];
    var make = Init.Maker.drawn(Random.of(seed).fold("masked images"));
    var student = new Student(model.visual(), make.make(START, width),
        Linear.of(make, width, teacher.config().embedding(), START, Init.ZEROS));
    int count = (int) Math.round(share * cells.grid().size());
    return new MaskedImages(model, student, Parameters.of(student).freeze(frozen.toArray(String[]::new)), teacher,
        new BlockMask(cells.grid().height(), count, Math.max(1, cells.grid().size() / 16)));
  }

  private static int rank(ClipModel model, Positions.Cells cells) {
    return Parameters.of(model.visual()).all().get(cells.path()).shape().rank();
  }

  private static Positions.Cells cells(ImageTower tower, String whose) {
    return tower.positions().stream().filter(p -> !tower.patchKernels().isEmpty() && p instanceof Positions.Cells)
        .map(Positions.Cells.class::cast)
        .findFirst().orElseThrow(() -> new IllegalArgumentException(whose + "'s image tower has no patches: masked "
            + "image modelling needs a ViT or EVA"));
  }

  @Override public String name() { return "masked images"; }

  /// Of each picture the sum of the cosines of what is foretold and what the teacher sees at the hidden patches, and
  /// how many those are, `[count, 1]`.
  @Override public List<Tensor> features(Batch part) {
    int n = part.count(), each = mask.side() * mask.side();
    var hidden = new boolean[n * each];
    for (int i = 0; i < n; i++) System.arraycopy(drawn(i), 0, hidden, i * each, each);
    int[] rows = IntStream.range(0, hidden.length).filter(i -> hidden[i]).toArray();
    var images = Pictured.images(part);
    var seen = model.visual().hiding(new Hidden(student.token, hidden)).tokens(images).tokens();
    if (seen.dim(0) != hidden.length)
      throw new IllegalArgumentException("the image tower gives " + seen.dim(0) + " rows of " + hidden.length
          + " patches; masked image modelling needs all (patch_dropout 0)");
    var target = Pass.current().inference().call(() -> teacher.visual().denseFeatures(images).gather(rows));
    var owners = Tensor.ofInts(Shape.of(rows.length), IntStream.of(rows).map(r -> r / each).toArray());
    var cosines = CosineLoss.each(student.head.apply(seen.gather(rows)), target);
    return List.of(cosines.scatterAdd(n, owners), Tensor.full(Shape.of(rows.length, 1), 1).scatterAdd(n, owners));
  }

  /// Which patches of a sample of the current step are hidden: one at least.
  private boolean[] drawn(int sample) {
    var key = Pass.current().key("mask", sample);
    var r = mask.draw(BlockMask.Draws.of(key));
    for (boolean hidden : r) if (hidden) return r;
    r[key.fold("one").below(0, r.length)] = true;
    return r;
  }

  @Override public SequencedMap<String, Tensor> heads() { return new LinkedHashMap<>(); }

  /// The mean over all hidden patches of the batch.
  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    var r = new LinkedHashMap<String, Tensor>();
    r.put("masked_loss", features.own().get(0).sum().divide(features.all().get(1).sum()).mul(-1));
    return r;
  }

  @Override public Predicate<String> decayed() {
    var of = model.decayed();
    return path -> path.equals("lm_head.weight") || !student.own().contains(path) && of.test(path);
  }

  @Override public void after() {}

  @Override public Map<String, Double> report() { return Map.of(); }

  @Override public MaskedImages of(ClipModel other) {
    var s = student.of(other.visual());
    var frozen = new ArrayList<>(parameters.all().keySet());
    frozen.removeAll(parameters.trained().keySet());
    return new MaskedImages(other, s, Parameters.of(s).freeze(frozen.toArray(String[]::new)), teacher, mask);
  }

  @Override public Map<String, Safetensors.Array> stored() {
    var r = new LinkedHashMap<>(Task.super.stored());
    for (var path : student.own()) {
      var t = parameters.all().get(path);
      r.put(path, new Safetensors.Array(t.shape().dims(), t.floats()));
    }
    return r;
  }

  @Override public void restore(Weights file, String prefix) throws IOException {
    Task.super.restore(file, prefix);
    for (var path : student.own()) Checkpoint.put(parameters.all().get(path), file.floats(prefix + path));
  }

  @Override public Map<String, Safetensors.Array> published(Map<String, Safetensors.Array> stored) {
    var r = new LinkedHashMap<>(stored);
    r.keySet().removeAll(student.own());
    return r;
  }

  /// @param student what the model begins from
  /// @param weights of the teacher (see [Checkpoint#load])
  /// @param share   how much of a picture is hidden; EVA-02: 105 of 256 patches
  public record Recipe(Contrastive.Recipe student, ClipConfig teacher, Path weights, double share)
      implements Task.Recipe {
    public Recipe {
      var seen = student.config().vision().input();
      if (!seen.equals(teacher.vision().input()))
        throw new IllegalArgumentException("the teacher sees " + teacher.vision().input() + " pixels, the student "
            + seen + ": both must see the same picture");
    }

    @Override public MaskedImages make(boolean resumed) throws IOException {
      var begun = student.make(resumed);
      var frozen = begun.parameters().all().keySet().stream().filter(p -> p.startsWith("visual.")
          && !begun.parameters().trained().containsKey(p)).toList();
      return of(begun.model(), frozen, Checkpoint.load(teacher, weights), share, student.seed());
    }

    @Override public List<Path> files() { return Stream.concat(student.files().stream(), Stream.of(weights)).toList(); }
  }
}
