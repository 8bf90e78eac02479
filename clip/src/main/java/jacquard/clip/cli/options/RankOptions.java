package jacquard.clip.cli.options;

import jacquard.clip.settings.Reason;
import jacquard.clip.train.ranks.Sharding;
import jacquard.tensor.Group;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.time.Duration;
import picocli.CommandLine.Option;

/// Who takes the steps together.
public final class RankOptions {
  @Option(names = "--ranks", paramLabel = "N", description = "Ranks in this process, each a thread with a device of "
      + "its own: the GPUs from --device on, or CPUs that share the cores. A step takes --batch-size pairs "
      + "of each and is that of one rank with all of them (default: ${DEFAULT-VALUE}).")
  int ranks = 1;
  @Option(names = "--dist-backend", paramLabel = "NAME", description = "Who joins processes that mpirun, srun "
      + "or torchrun started: mpi (Open MPI), nccl (NCCL between their GPUs, the rest as auto), local (nobody: each "
      + "process is a run of its own), or auto: TCP with MASTER_ADDR where torchrun started them, else mpi (default: "
      + "${DEFAULT-VALUE}).")
  String backend = "auto";
  @Option(names = "--rank-timeout", paramLabel = "SECONDS", description = "How long a rank waits for one that gives no "
      + "sign before the run ends (default: ${DEFAULT-VALUE}).")
  double timeout = 600;

  @Option(names = "--zero", paramLabel = "STAGE", description = "What each rank keeps its own rows of, where others "
      + "have theirs: 1: the optimizer's moments; 2: gradients and moments; 3: parameters too; 0: nothing. The step "
      + "stays the same (default: ${DEFAULT-VALUE}).")
  int zero;
  @Option(names = "--fsdp", description = "The same as --zero 3.")
  boolean fsdp;
  @Option(names = "--fsdp-no-reshard-after-forward", description = "With --fsdp, parameters stay whole on each rank: "
      + "the same as --zero 2.")
  boolean whole;
  @Option(names = "--fsdp-checkpoint", paramLabel = "KIND", description = "Who writes what a run needs to go on: full: "
      + "rank 0, one file; sharded: each rank a part. Any number of ranks reads both (default: ${DEFAULT-VALUE}).")
  String checkpoint = "full";
  @Option(names = "--fsdp-offload-cpu", description = "The optimizer and its moments are in the memory of the host, "
      + "and the CPU makes its steps: 8 bytes a parameter less on a GPU, and 8 to 12 that cross over at a step. With "
      + "any --zero, also 0. Without effect where a CPU trains: all lies there anyway.")
  public boolean offload;

  /// What a rank does.
  public interface Work { int run() throws IOException; }

  /// Whether this process is a rank among others, or is to be.
  boolean joins() {
    return switch (backend) {
      case "local" -> false;
      case "mpi", "nccl" -> true;
      case "auto" -> !Launch.here().alone();
      default -> throw new IllegalArgumentException("--dist-backend " + backend + ", expected local, mpi, nccl or "
          + "auto");
    };
  }

  /// Runs a command as one of the ranks that were started together; as it is, where it stands alone or has joined.
  public int run(Work work) throws IOException {
    if (Group.CURRENT.isBound() || !joins()) return work.run();
    if (!(timeout >= 1 && timeout <= 1e7))
      throw new IllegalArgumentException("--rank-timeout " + timeout + ", expected seconds, at least 1");
    if (ranks > 1)
      throw new IllegalArgumentException("--ranks " + ranks + ": each process that was started is one rank; start more "
          + "with mpirun -n");
    var launch = Launch.here();
    var kind = !backend.equals("auto") ? backend : addressed(launch) ? "tcp" : "mpi";
    return Group.<Integer, IOException>join(kind, Duration.ofMillis((long) (timeout * 1000)), group -> {
      if (group.size() != launch.size())
        throw new IllegalArgumentException("%s started %d processes, and %s %d: start them with mpirun -n %d, or srun "
            .formatted(launch.by(), launch.size(), kind.equals("mpi") ? "Open MPI sees" : "the ranks see", group.size(),
                launch.size()) + "--mpi=pmix; --dist-backend local makes each a run of its own");
      // the other ranks are told the message: of a file that is not there Java's is the path alone
      try { return work.run(); } catch (FileSystemException e) { throw new IOException(Reason.of(e), e); }
    });
  }

  /// Whether the launcher says where rank 0 is.
  private static boolean addressed(Launch launch) {
    return launch.by().equals("torchrun") && System.getenv().containsKey("MASTER_ADDR");
  }

  /// These, for a command whose ranks are threads of one process and keep everything.
  public RankOptions threads(String command) {
    if (joins() || sharding() != Sharding.NONE)
      throw new IllegalArgumentException(command + " has its ranks in one process (--ranks N), without mpirun, --zero "
          + "and --fsdp");
    return this;
  }

  public Sharding sharding() {
    int of = whole ? 2 : 3;
    if (fsdp && zero != 0 && zero != of)
      throw new IllegalArgumentException("--fsdp" + (whole ? " --fsdp-no-reshard-after-forward" : "") + " and --zero "
          + zero + ": it is --zero " + of + "; give one");
    if (whole && !fsdp) throw new IllegalArgumentException("--fsdp-no-reshard-after-forward needs --fsdp");
    return Sharding.stage(fsdp ? of : zero);
  }

  /// Whether each rank writes its part of a checkpoint.
  public boolean parts() {
    if (!checkpoint.equals("full") && !checkpoint.equals("sharded"))
      throw new IllegalArgumentException("--fsdp-checkpoint " + checkpoint + ", expected full or sharded");
    if (checkpoint.equals("sharded") && sharding() != Sharding.ALL)
      throw new IllegalArgumentException("--fsdp-checkpoint sharded needs --fsdp (--zero 3): else every rank has all "
          + "parameters");
    return checkpoint.equals("sharded");
  }

  /// How many ranks are threads here.
  public int here() {
    if (ranks < 1) throw new IllegalArgumentException("--ranks " + ranks + ", expected 1 or more");
    return ranks;
  }

  /// Which of its machine's devices this process takes, from --device on.
  public int first() { return Group.CURRENT.isBound() ? Launch.here().local() : 0; }
}
