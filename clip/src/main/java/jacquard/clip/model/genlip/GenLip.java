package jacquard.clip.model.genlip;

import jacquard.autograd.Named;
import jacquard.clip.image.PatchFrame;
import jacquard.clip.loss.CaptionLoss;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.text.ClipTextConfig;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.Patches;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.Pooling;
import jacquard.tensor.Grid;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Ranges;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// GenLIP: one trunk reads a picture's patches and then the words of its caption, and foretells each word. Patches see
/// all patches, a word
/// sees the patches and the words before it. Alone, patches give the picture's features: their mean.
///
/// @param words `[vocabulary, textWidth]`
/// @param in,out between the words' width and the trunk's; null where these are one
/// @param head from a row to the logits of the next word
/// @param proj from the trunk's width to the embedding; null where these are one. Foretelling words does not reach it
public record GenLip(@Named("patch_embed") PatchEmbed embed, @Named("text_embed") Linear words,
    @Named("in_proj") Linear in, @Named("out_proj") Linear out,
    @Named("lm_head") Linear head, Trunk trunk, Linear proj, GenLipConfig shape, PatchConfig patch, int pad)
        implements ImageTower {
  record PatchEmbed(Linear proj) {}

  public static Optional<String> refused(ClipConfig clip) {
    if (!(clip.vision() instanceof PatchConfig)) return Optional.of("genlip_cfg without in_chans in vision_cfg");
    if (!(clip.text() instanceof ClipTextConfig)) return Optional.of("genlip_cfg with a text_cfg of a tower of its "
        + "own");
    return Optional.empty();
  }

  public static GenLip of(PatchConfig p, ClipConfig clip, Init.Maker make) {
    var c = GenLipConfig.of(clip.other().genlipCfg());
    var text = (ClipTextConfig) clip.text();
    int w = c.width(), t = c.textWidth(), side = p.side();
    if (text.pad() >= text.vocabulary())
      throw new IllegalArgumentException("text_cfg.pad_id is " + text.pad() + ", expected less than vocab_size "
          + text.vocabulary());
    return new GenLip(new PatchEmbed(linear(make, side * side * 3, w)),
        new Linear.Dense(make.make(new Init.Normal(0.02), text.vocabulary(), t), null),
        t == w ? null : linear(make, t, w), t == w ? null : linear(make, w, t),
            Linear.of(make, t, text.vocabulary(), new Init.Normal(0.02), null),
        Trunk.of(make, c), clip.embedding() == w ? null : linear(make, w, clip.embedding()), c, p, text.pad());
  }

  private static Linear linear(Init.Maker make, int in, int out) {
    return Linear.of(make, in, out, new Init.Normal(0.02), Init.ZEROS);
  }

  @Override public Grid input() { return patch.input(); }

  /// Room for the patches of an image of `image_size`.
  @Override public Optional<PatchFrame> frame() {
    int side = patch.side();
    return Optional.of(new PatchFrame(side, Math.max(1, input().height() / side * (input().width() / side))));
  }

  @Override public Tensor features(ImageBatch images) { return features(Patches.of(images, patch.side())); }

  @Override public Encoding tokens(ImageBatch images) { return tokens(Patches.of(images, patch.side())); }

  @Override public Encoding tokens(Patches patches) {
    var s = Sequences.ofLengths(patches.grids().stream().mapToInt(Grid::size).toArray());
    var rows = new Rows(s.rows());
    for (var g : patches.grids()) rows.patches(g);
    var x = trunk.apply(embed.proj.apply(patches.rows()), s, Ranges.full(s, s), rows.rotation(shape));
    var mean = Pooling.mean(x, s, 0);
    return new Encoding(proj == null ? mean : proj.apply(mean), x, s);
  }

  /// The rows after the trunk and the logits of what comes next, `[rows, vocabulary]`, of pictures and the words of
  /// their captions but the last. Positions are
  /// OpenCLIP's places: patches from 0, words behind the room that the batch has for patches.
  public Encoding logits(Patches patches, int[][] captions) {
    var read = read(patches, captions);
    var x = rows(patches, captions, read);
    return new Encoding(x.matmul(head.weight().permute(1, 0)), x, read.places);
  }

  /// Of each caption the sum of its words' losses, `[captions, 1]`; [#labels] says how many they are.
  public Tensor losses(Patches patches, int[][] captions) {
    var read = read(patches, captions);
    int[] from = read.askers.stream().mapToInt(i -> i).toArray(), labels = read.labels.stream().mapToInt(i -> i)
        .toArray(), whose = read.whose.stream().mapToInt(i -> i).toArray();
    if (labels.length == 0) return Tensor.zeros(Shape.of(captions.length, 1));
    return CaptionLoss.of(rows(patches, captions, read).gather(from), head.weight().permute(1, 0), labels)
        .scatterAdd(captions.length, Tensor.ofInts(Shape.of(whose.length), whose));
  }

  /// How many words of each caption are foretold: all, start and end too. `[captions, 1]`
  public Tensor labels(int[][] captions) {
    float[] r = new float[captions.length];
    for (int b = 0; b < r.length; b++) r[b] = length(captions[b]);
    return Tensor.of(Shape.of(r.length, 1), r);
  }

  private int length(int[] caption) {
    int n = 0;
    while (n < caption.length && caption[n] != pad) n++;
    return n;
  }

  /// Sequences of a picture and its caption.
  ///
  /// @param order   of each row its number among the patches, the empty place (one), and the words
  /// @param askers  rows that foretell a word
  /// @param labels,whose that word, and the number of its caption
  private record Reading(Sequences places, Ranges ranges, Rows rows, int[] order, int[] ids, List<Integer> askers,
      List<Integer> labels, List<Integer> whose) {}

  /// A caption that is foretold from an empty place, which pictures of fewer patches than the batch has room for have,
  /// begins with a row of
  /// its own: it sees itself and the patches, and no other row sees it.
  private Reading read(Patches patches, int[][] captions) {
    int count = captions.length, n = patches.rows().dim(0), words = 0;
    int[] lengths = new int[count], offsets = new int[count + 1];
    boolean[] empty = new boolean[count];
    for (int b = 0; b < count; b++) {
      lengths[b] = length(captions[b]);
      empty[b] = !shape.packed() && patches.grids().get(b).size() < patches.room();
      offsets[b + 1] = offsets[b] + (empty[b] ? 1 : 0) + patches.grids().get(b).size() + Math.max(0, lengths[b] - 1);
      words += Math.max(0, lengths[b] - 1);
    }
    int total = offsets[count];
    int[] order = new int[total], places = new int[total], from = new int[total], to = new int[total],
        ids = new int[words];
    var rows = new Rows(total);
    List<Integer> askers = new ArrayList<>(), labels = new ArrayList<>(), whose = new ArrayList<>();
    for (int b = 0, r = 0, patch = 0, word = 0; b < count; b++) {
      var g = patches.grids().get(b);
      int first = offsets[b] + (empty[b] ? 1 : 0), end = first + g.size();
      if (empty[b]) {
        order[r] = n;
        places[r] = patches.room() - 1;
        from[r] = r;
        to[r++] = end;
        rows.empty();
      }
      rows.patches(g);
      for (int i = 0; i < g.size(); i++, r++) {
        order[r] = patch++;
        places[r] = i;
        from[r] = first;
        to[r] = end;
      }
      int start = Math.max(g.height(), g.width());
      for (int j = 0; j < lengths[b]; j++) {
        askers.add(j > 0 ? end + j - 1 : empty[b] ? offsets[b] : end - 1);
        labels.add(captions[b][j]);
        whose.add(b);
        if (j == lengths[b] - 1) break;
        order[r] = n + 1 + word;
        ids[word++] = captions[b][j];
        places[r] = patches.room() + j;
        from[r] = first;
        to[r] = ++r;
        rows.word(start + j);
      }
    }
    return new Reading(new Sequences(offsets, places), new Ranges(from, to), rows, order, ids, askers, labels, whose);
  }

  private Tensor rows(Patches patches, int[][] captions, Reading r) {
    var nothing = embed.proj.apply(Tensor.zeros(Shape.of(1, patches.rows().dim(1))));
    var parts = new ArrayList<>(List.of(embed.proj.apply(patches.rows()), nothing));
    if (r.ids.length > 0) {
      var w = words.weight().gather(r.ids);
      parts.add(in == null ? w : in.apply(w));
    }
    var x = trunk.apply(Tensor.concat(0, parts).gather(r.order), r.places, r.ranges, r.rows.rotation(shape));
    return out == null ? x : out.apply(x);
  }

  /// Patches and words; a group a block, the last one with the final norm; what leads out.
  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    var first = new ArrayList<>(List.of("patch_embed.**", "text_embed.**"));
    if (in != null) first.add("in_proj.**");
    r.add(first);
    int last = trunk.layers().size() - 1;
    for (int i = 0; i <= last; i++) r.add(i == last ? List.of("trunk.layers." + i + ".**", "trunk.ln_post.**")
        : List.of("trunk.layers." + i + ".**"));
    var end = new ArrayList<>(List.of("lm_head.**"));
    if (out != null) end.add("out_proj.**");
    if (proj != null) end.add("proj.**");
    r.add(end);
    return r;
  }

  /// OpenCLIP keeps the trunk at the top, and once more as its image tower's.
  @Override public List<String> names(String path) {
    if (path.startsWith("proj.")) return List.of("visual." + path);
    return path.startsWith("trunk.") || path.startsWith("patch_embed.") ? List.of(path, "visual." + path)
        : List.of(path);
  }
}
