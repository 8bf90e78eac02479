package jacquard.kernels.tcp;

import jacquard.tensor.Group;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;

/// Ranks that find each other by the address of rank 0, as `torchrun` says it: `MASTER_ADDR`, `MASTER_PORT`, `RANK`,
/// `WORLD_SIZE`; of SLURM's steps `SLURM_PROCID` and `SLURM_STEP_NUM_TASKS`, where a script sets the address.
public final class TcpProcesses implements Group.Processes {
  private static final String ADDRESS = "MASTER_ADDR", PORT = "MASTER_PORT";
  /// torch's default.
  private static final int DEFAULT_PORT = 29500;

  @Override public String name() { return "tcp"; }

  /// Whether the environment says how to find rank 0, and Open MPI's launcher has not started this process.
  public static boolean started() {
    var e = System.getenv();
    return e.containsKey(ADDRESS) && !e.containsKey("OMPI_COMM_WORLD_SIZE");
  }

  /// Where rank 0 listens. torchrun's own store may have the master's port: then it is the next one.
  private static InetSocketAddress master(Map<String, String> e) {
    int port = number(e, PORT, null, Integer.toString(DEFAULT_PORT));
    if (port > 65534) throw new IllegalArgumentException("the environment's MASTER_PORT is " + port);
    boolean taken = "True".equals(e.get("TORCHELASTIC_USE_AGENT_STORE"));
    return new InetSocketAddress(e.getOrDefault(ADDRESS, "localhost"), port + (taken ? 1 : 0));
  }

  private static int number(Map<String, String> e, String name, String other, String otherwise) {
    var value = e.getOrDefault(name, other == null ? otherwise : e.getOrDefault(other, otherwise));
    if (value.matches("\\d{1,9}")) return Integer.parseInt(value);
    throw new IllegalArgumentException("the environment's " + name + " is \"" + value + "\", expected a number");
  }

  @Override public <T, X extends Exception> T run(Duration patience, Group.Body<T, X> body) throws X {
    var e = System.getenv();
    int rank = number(e, "RANK", "SLURM_PROCID", "0"), size = number(e, "WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "1");
    var token = e.getOrDefault("TORCHELASTIC_RUN_ID", e.getOrDefault("SLURM_JOB_ID", "")) + " " + size;
    Star star;
    try { star = new Star(master(e), token, rank, size, patience.toNanos()); }
    catch (IOException why) { throw new IllegalArgumentException(why.getMessage(), why); }
    try (star) {
      try {
        var group = new TcpGroup(star, rank, size);
        T result = ScopedValue.where(Group.CURRENT, group).<T, X>call(() -> body.run(group));
        group.end();
        return result;
      } catch (Throwable t) {
        star.fail("rank " + rank + " failed: " + (t instanceof IllegalArgumentException || t instanceof IOException
            ? t.getMessage() : t));
        throw t;
      }
    }
  }
}
