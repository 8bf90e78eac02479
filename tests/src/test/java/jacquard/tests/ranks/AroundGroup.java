package jacquard.tests.ranks;

import jacquard.tensor.Group;
import java.util.List;

/// A group of threads that does what another does, but for what a test has it do otherwise.
public interface AroundGroup extends Group {
  Group of();

  @Override default int rank() { return of().rank(); }
  @Override default int size() { return of().size(); }
  @Override default boolean together() { return true; }
  @Override default double[] sum(String what, double... values) { return of().sum(what, values); }
  @Override default List<Object> meet(String what, Object mine) { return of().meet(what, mine); }
  @Override default void whenFailed(Runnable action) { of().whenFailed(action); }
  @Override default void allGather(String what, Stretch part, Stretch all) { of().allGather(what, part, all); }

  @Override default void reduceScatter(String what, Stretch all, int[] counts, Stretch part) {
    of().reduceScatter(what, all, counts, part);
  }

  @Override default void allReduce(String what, float factor, List<Stretch> in, List<Stretch> out) {
    of().allReduce(what, factor, in, out);
  }
}
