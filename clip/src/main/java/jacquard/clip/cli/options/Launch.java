package jacquard.clip.cli.options;

import java.util.List;
import java.util.Map;

/// How a launcher started this process, as its environment says: one of `size` ranks. Variables are looked up in
/// OpenCLIP's order, those of `mpirun` first, since `mpirun` may run inside a job of SLURM.
///
/// @param by    who started it; empty for a process that stands alone
/// @param local which of the ranks of this machine it is
public record Launch(String by, int rank, int size, int local) {
  private record Kind(String by, String rank, String size, String local) {}

  /// Of SLURM's, those of a step: a batch script has the job's number of tasks, and is none of them.
  private static final List<Kind> KINDS = List.of(
      new Kind("mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
      new Kind("torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK"),
      new Kind("mpiexec", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
      new Kind("srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"));

  public static Launch here() { return of(System.getenv()); }

  /// @throws IllegalArgumentException naming a variable that is no number
  public static Launch of(Map<String, String> environment) {
    for (var k : KINDS) {
      if (!environment.containsKey(k.rank) || !environment.containsKey(k.size)) continue;
      int rank = number(environment, k.rank), size = number(environment, k.size);
      if (rank >= size)
        throw new IllegalArgumentException(k.by + "'s " + k.rank + " is " + rank + ", expected less than " + k.size
            + ", " + size);
      int local = environment.containsKey(k.local) ? number(environment, k.local) : 0;
      if (size > 1) return new Launch(k.by, rank, size, local);
    }
    return new Launch("", 0, 1, 0);
  }

  public boolean alone() { return size == 1; }

  private static int number(Map<String, String> environment, String name) {
    var value = environment.get(name);
    if (value.matches("\\d{1,9}")) return Integer.parseInt(value);
    throw new IllegalArgumentException("the environment's " + name + " is \"" + value + "\", expected a number");
  }

  @Override public String toString() { return "rank " + rank + " of " + size; }
}
