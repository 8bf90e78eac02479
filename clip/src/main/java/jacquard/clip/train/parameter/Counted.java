package jacquard.clip.train.parameter;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.DType;
import jacquard.tensor.Tensor;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/// The counters of batch norms, `num_batches_tracked`: how many batches their running statistics have seen, as PyTorch
/// keeps them, and these statistics. They are gathered once a micro-batch; those of groups that are fixed are not. A
/// step that is left out leaves no trace in them.
///
/// @param running means and variances
public record Counted(List<Tensor> counters, List<Tensor> running) {
  private static final String COUNTER = "num_batches_tracked";

  /// Those of a model.
  public static Counted of(ClipModel model) {
    int fixed = model.visual().fixed();
    var still = fixed == 0 ? List.<String>of()
        : model.groups().get("visual").stream().limit(fixed).flatMap(List::stream).toList();
    var matchers = still.stream()
        .map(g -> FileSystems.getDefault().getPathMatcher("glob:" + g.replace('.', '/'))).toList();
    var all = model.parameters().all();
    var counters = all.entrySet().stream().filter(e -> e.getValue().dtype() == DType.I64).map(Map.Entry::getKey)
        .filter(e -> matchers.stream().noneMatch(m -> m.matches(Path.of(e.replace('.', '/'))))).toList();
    var running = counters.stream().filter(c -> c.endsWith(COUNTER))
        .map(c -> c.substring(0, c.length() - COUNTER.length()))
        .flatMap(c -> Stream.of(c + "running_mean", c + "running_var")).map(all::get).filter(Objects::nonNull).toList();
    return new Counted(counters.stream().map(all::get).toList(), running);
  }

  /// Copies of the statistics as they are now, in the current scope.
  public List<Tensor> statistics() { return running.stream().map(Tensor::copy).toList(); }

  /// Puts statistics back.
  public void restore(List<Tensor> before) {
    for (int i = 0; i < running.size(); i++) Checkpoint.put(running.get(i), before.get(i).floats());
  }

  public void add(int batches) {
    for (var t : counters) Checkpoint.put(t, new long[] {((long[]) t.read())[0] + batches});
  }
}
