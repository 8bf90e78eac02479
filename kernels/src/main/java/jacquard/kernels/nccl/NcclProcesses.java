package jacquard.kernels.nccl;

import jacquard.kernels.mpi.MpiProcesses;
import jacquard.kernels.tcp.TcpProcesses;
import jacquard.tensor.Group;
import java.time.Duration;

/// Ranks that are processes with a GPU each, whose tensors NCCL moves. How they find each other is as they were
/// started: by TCP where the environment names a master (`torchrun`), else by Open MPI.
public final class NcclProcesses implements Group.Processes {
  @Override public String name() { return "nccl"; }

  @Override public <T, X extends Exception> T run(Duration patience, Group.Body<T, X> body) throws X {
    var nccl = Nccl.load();
    var processes = TcpProcesses.started() ? new TcpProcesses() : new MpiProcesses();
    return processes.run(patience, host -> {
      var group = new NcclGroup(host, nccl, patience);
      T result = ScopedValue.where(Group.CURRENT, group).<T, X>call(() -> body.run(group));
      group.end();
      return result;
    });
  }
}
