package jacquard.clip.model.tower;

import java.util.List;

/// What a tower says about its own tensors, by their paths within it. Others ask here and never which family a tower is
/// of.
public interface Tower {
  /// The parameters from input to output, as OpenCLIP groups them for locking and layer decay: globs, a list a group.
  /// Each is in one.
  List<List<String>> groups();

  /// Globs of parameters that do not decay though they are no vectors or scalars: tables of positions, as a rule.
  default List<String> undecayed() { return List.of(); }

  /// Globs of tensors that are never trained, beyond those that `@Buffer` marks.
  default List<String> buffers() { return List.of(); }

  /// Tables of positions that are resized where a checkpoint has another size.
  default List<Positions> positions() { return List.of(); }

  /// Tensors that checkpoints of older versions hold and that say nothing: they are passed over.
  default List<String> obsolete() { return List.of(); }

  /// How a tensor lies in a checkpoint.
  default OnDisk layout(String path) { return OnDisk.SAME; }

  /// The names of a tensor in a checkpoint, where they are not its path behind the tower's own prefix: the first is
  /// read, the others hold it once more.
  default List<String> names(String path) { return List.of(); }
}
