package jacquard.clip.model;

import jacquard.autograd.Named;
import jacquard.autograd.Parameters;
import jacquard.clip.model.coca.CaptionDecoder;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.model.tower.Patches;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.model.tower.Tower;
import jacquard.clip.nn.Init;
import jacquard.tensor.Random;
import jacquard.tensor.Tensor;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.function.Predicate;

/// Two towers and the temperature between them: OpenCLIP's `CLIP`. An immutable record of tensors that live in the
/// scope it was made in.
///
/// @param text       null where one trunk reads pictures and words (GenLIP)
/// @param logitScale log of the factor on cosines, `[]` or `[1]`; null where captions are foretold and nothing is
/// compared
/// @param logitBias  added to logits of the sigmoid loss, or null
/// @param decoder    foretells captions of what the towers see (CoCa), or null
public record ClipModel(ImageTower visual, TextTower text, @Named("logit_scale") Tensor logitScale,
    @Named("logit_bias") Tensor logitBias,
                        @Named("text_decoder") CaptionDecoder decoder, ClipConfig config) {

  /// A model whose tensors are types without elements.
  public static ClipModel describe(ClipConfig config) { return make(config, Init.Maker.DESCRIBED); }

  /// Initialised as OpenCLIP initialises it.
  public static ClipModel create(ClipConfig config, long seed) {
    return make(config, Init.Maker.drawn(Random.of(seed).fold("initialisation")));
  }

  private static ClipModel make(ClipConfig c, Init.Maker make) {
    c.unsupported().ifPresent(why -> { throw new IllegalArgumentException("this model is not built yet: " + why); });
    int[] scalar = c.nonscalar() ? new int[] {1} : new int[0];
    var visual = Families.image(c.vision()).tower().apply(c, make);
    if (!c.compares()) return new ClipModel(visual, null, null, null, null, c);
    return new ClipModel(visual, Families.text(c.text()).tower().apply(c, make),
        make.make(new Init.Constant((float) c.logitScale()), scalar), c.logitBias().isEmpty() ? null
        : make.make(new Init.Constant((float) c.logitBias().getAsDouble()), scalar),
        Families.whole(c).map(d -> d.tower().apply(c, make)).orElse(null), c);
  }

  /// The towers by the prefix of their tensors' paths.
  public SequencedMap<String, Tower> towers() {
    var r = new LinkedHashMap<String, Tower>();
    r.put("visual", visual);
    if (text != null) r.put("text", text);
    return r;
  }

  /// What is trained; fixed positions are not.
  public Parameters parameters() { return Parameters.of(this).freeze(globs(Tower::buffers)); }

  /// Which paths decay by OpenCLIP's rule: all but vectors and scalars, and what a tower leaves out (see
  /// [Tower#undecayed]).
  public Predicate<String> decayed() {
    var all = Parameters.of(this);
    var left = new HashSet<>(all.trained().keySet());
    left.removeAll(all.freeze(globs(Tower::undecayed)).trained().keySet());
    return path -> all.all().get(path).shape().rank() > 1 && !left.contains(path);
  }

  /// The groups of each tower, from input to output, as globs of the model's paths; see [Tower#groups].
  public Map<String, List<List<String>>> groups() { return groups(false); }

  /// The same.
  ///
  /// @param poolerApart whether the text tower's pooler stands below its head; see [TextTower#poolerApart]
  public Map<String, List<List<String>>> groups(boolean poolerApart) {
    var r = new LinkedHashMap<String, List<List<String>>>();
    towers().forEach((prefix, t) -> {
      var groups = poolerApart && t == text ? text.poolerApart() : t.groups();
      r.put(prefix, groups.stream().map(g -> g.stream().map(glob -> prefix + "." + glob).toList()).toList());
    });
    return r;
  }

  private String[] globs(Function<Tower, List<String>> of) {
    return towers().entrySet().stream()
        .flatMap(t -> of.apply(t.getValue()).stream().map(glob -> t.getKey() + "." + glob)).toArray(String[]::new);
  }

  /// How a tensor lies in a checkpoint.
  public OnDisk layout(String path) {
    int dot = path.indexOf('.');
    var tower = dot < 0 ? null : towers().get(path.substring(0, dot));
    return tower == null ? OnDisk.SAME : tower.layout(path.substring(dot + 1));
  }

  /// The same model with the batch statistics of the image tower's first groups fixed; see [ImageTower#fixed].
  public ClipModel fixedStatistics(int groups) {
    return new ClipModel(visual.fixed(groups), text, logitScale, logitBias, decoder, config);
  }

  /// L2-normalised features `[count, embedding]`.
  public Tensor embedImages(ImageBatch images) { return visual.features(images).normalize(); }

  /// The same of pictures of any sizes, which a NaFlex tower takes.
  public Tensor embedImages(Patches patches) { return visual.features(patches).normalize(); }

  /// L2-normalised features `[captions, embedding]`.
  ///
  /// @throws IllegalArgumentException if the model foretells captions and has no features of them
  public Tensor embedTexts(int[][] tokens) {
    if (text == null) throw new IllegalArgumentException("this model has features of pictures alone: "
          + "it foretells captions and compares none");
    return text.features(tokens).normalize();
  }

  /// The factor on cosines: e^logit_scale.
  public Tensor scale() { return logitScale.exp(); }

  /// OpenCLIP's name of a parameter path: a plain CLIP keeps its text tower at the top level.
  public String nameOf(String path) { return namesOf(path).getFirst(); }

  /// All names under which a checkpoint holds a tensor; see [Tower#names].
  public List<String> namesOf(String path) {
    int dot = path.indexOf('.');
    var tower = dot < 0 ? null : towers().get(path.substring(0, dot));
    var own = tower == null ? List.<String>of() : tower.names(path.substring(dot + 1));
    return !own.isEmpty() ? own : List.of(!config.custom() && path.startsWith("text.") ? path.substring(5) : path);
  }
}
