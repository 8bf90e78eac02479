package jacquard.clip.train.parameter;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.DType;
import jacquard.tensor.Tensor;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.List;

/// The counters of batch norms, `num_batches_tracked`: how many batches their running statistics have seen, as PyTorch
/// keeps them. Statistics are gathered once a micro-batch; those of groups that are fixed are not.
public record Counted(List<Tensor> counters) {
  /// Those of a model.
  public static Counted of(ClipModel model) {
    int fixed = model.visual().fixed();
    var still = fixed == 0 ? List.<String>of()
        : model.groups().get("visual").stream().limit(fixed).flatMap(List::stream).toList();
    var matchers = still.stream()
        .map(g -> FileSystems.getDefault().getPathMatcher("glob:" + g.replace('.', '/'))).toList();
    return new Counted(model.parameters().all().entrySet().stream()
        .filter(e -> e.getValue().dtype() == DType.I64)
        .filter(e -> matchers.stream().noneMatch(m -> m.matches(Path.of(e.getKey().replace('.', '/')))))
        .map(java.util.Map.Entry::getValue).toList());
  }

  public void add(int batches) {
    for (var t : counters) Checkpoint.put(t, new long[] {((long[]) t.read())[0] + batches});
  }
}
