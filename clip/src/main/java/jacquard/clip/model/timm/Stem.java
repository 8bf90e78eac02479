package jacquard.clip.model.timm;

import jacquard.autograd.Named;
import jacquard.clip.model.tower.Hidden;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.PatchDropout;
import jacquard.tensor.Grid;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// From pixels to the rows that the blocks of a timm transformer get; the absent are null.
///
/// @param classToken `[1, 1, width]`, before the patches, with a position of its own
/// @param positions `[1, rows, width]`
/// @param image the image's pixels
public record Stem(@Named("cls_token") Tensor classToken, @Named("pos_embed") Tensor positions,
    @Named("patch_embed") PatchEmbed patches,
    @Named("norm_pre") LayerNorm norm, Hidden hidden, Grid image, Grid grid) {
  /// @param norm whether a layer norm follows; then the patches have no bias
  public static Stem of(Init.Maker make, int width, int patch, Grid image, boolean classToken, boolean norm,
      float epsilon, double classDeviation) {
    if (patch > image.height() || patch > image.width())
      throw new IllegalArgumentException("timm_model_kwargs: patches of " + patch + " pixels, more than the image of "
          + image + " has");
    var grid = new Grid(image.height() / patch, image.width() / patch);
    return new Stem(classToken ? make.make(new Init.Normal(classDeviation), 1, 1, width) : null,
        make.make(new Init.Normal(0.02), 1, grid.size() + (classToken ? 1 : 0), width),
        PatchEmbed.of(make, width, patch, !norm),
        norm ? LayerNorm.of(make, width, epsilon) : null, null, image, grid);
  }

  /// Without the pixels of some patches.
  public Stem hiding(Hidden patches) {
    return new Stem(classToken, positions, this.patches, norm, patches, image, grid);
  }

  /// Rows before the patches.
  public int prefix() { return classToken == null ? 0 : 1; }

  /// The rows of a batch; while training, without the patches that are dropped.
  public Sequences rows(int count, double dropped) { return PatchDropout.kept(count, grid.size(), prefix(), dropped); }

  /// `[rows, width]`
  public Tensor apply(ImageBatch images, Sequences sequences) {
    if (!images.grid().equals(image))
      throw new IllegalArgumentException("images of " + images.grid() + ", expected " + image);
    int cells = grid.size(), width = positions.dim(2), prefix = prefix();
    int[] source = sequences.positions().clone(), owners = sequences.owners();
    // the class token, then all patches
    for (int r = 0; r < source.length; r++) if (source[r] >= prefix) source[r] += owners[r] * cells;
    var table = new ArrayList<>(List.of(patches.apply(images)));
    if (classToken != null) table.addFirst(classToken.reshape(1, width));
    if (hidden != null) {
      hidden.over(source, prefix);
      table.add(hidden.token().reshape(1, width));
    }
    var x = table.size() == 1 ? table.getFirst() : Tensor.concat(0, table);
    x = x.gather(source).add(positions.reshape(cells + prefix, width).gather(sequences.positions()));
    return norm == null ? x : norm.apply(x);
  }

  /// Its parameters as globs of a trunk's paths.
  public List<String> group() {
    var r = new ArrayList<>(List.of("trunk.pos_embed", "trunk.patch_embed.**"));
    if (classToken != null) r.add("trunk.cls_token");
    if (norm != null) r.add("trunk.norm_pre.**");
    return r;
  }

  /// What of it does not decay.
  public List<String> undecayed() {
    return classToken == null ? List.of("trunk.pos_embed") : List.of("trunk.pos_embed", "trunk.cls_token");
  }
}
