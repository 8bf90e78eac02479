package jacquard.kernels.cpu;

import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/// One pool of daemon threads for all kernels. Work is cut by shape alone, so that the bits do not depend on the number
/// of cores; which thread takes which piece does not matter.
public final class Parallel {
  private static final int THREADS = Integer.getInteger("jacquard.threads", Runtime.getRuntime().availableProcessors());
  /// Turns of a loop, some 20 µs, that a thread without work looks for it before it sleeps: waking it would take longer
  /// than a small kernel.
  private static final int SPINS = 1000;
  private static final LinkedTransferQueue<Job> QUEUE = new LinkedTransferQueue<>();
  private static final ThreadLocal<Boolean> INSIDE = ThreadLocal.withInitial(() -> false);

  static {
    for (int i = 1; i < THREADS; i++) {
      var t = new Thread(Parallel::serve, "jacquard-" + i);
      t.setDaemon(true);
      t.start();
    }
  }

  private static final class Job {
    final int pieces;
    final IntConsumer body;
    final AtomicInteger next = new AtomicInteger(), done = new AtomicInteger();
    final Thread owner = Thread.currentThread();
    volatile Throwable failure;

    Job(int pieces, IntConsumer body) {
      this.pieces = pieces;
      this.body = body;
    }

    void work() {
      for (int i; (i = next.getAndIncrement()) < pieces; ) {
        try { if (failure == null) body.accept(i); }
        catch (Throwable t) { failure = t; }
        if (done.incrementAndGet() == pieces && owner != Thread.currentThread()) LockSupport.unpark(owner);
      }
    }

    /// Until all pieces are done. An interruption is kept for the caller.
    void await() {
      boolean interrupted = false;
      for (int spin = 0; done.get() < pieces; spin++) {
        if (spin < SPINS) Thread.onSpinWait();
        else {
          LockSupport.park(this);
          interrupted |= Thread.interrupted();
        }
      }
      if (interrupted) Thread.currentThread().interrupt();
    }
  }

  private Parallel() {}

  public static int threads() { return THREADS; }

  /// Runs `body` for 0 … pieces−1, on this thread and the pool's; returns when all are done. A piece's failure is
  /// thrown here.
  public static void run(int pieces, IntConsumer body) {
    if (pieces <= 1 || THREADS == 1 || INSIDE.get()) {
      for (int i = 0; i < pieces; i++) body.accept(i);
      return;
    }
    var job = new Job(pieces, body);
    for (int i = Math.min(THREADS, pieces); i > 1; i--) QUEUE.add(job);
    INSIDE.set(true);
    try { job.work(); } finally { INSIDE.set(false); }
    job.await();
    if (job.failure != null) throw new IllegalStateException("a kernel failed: " + job.failure, job.failure);
  }

  /// Runs `f` on this thread, and everything that it would share out.
  static void alone(Runnable f) {
    INSIDE.set(true);
    try { f.run(); } finally { INSIDE.set(false); }
  }

  /// Runs `body(from, to)` over 0 … n−1 in stretches of `grain`.
  public static void rows(int n, int grain, Rows body) {
    int g = Math.max(1, grain);
    run((n + g - 1) / g, i -> body.run(i * g, Math.min(n, i * g + g)));
  }

  public interface Rows { void run(int from, int to); }

  private static void serve() {
    INSIDE.set(true);
    try { while (true) take().work(); } catch (InterruptedException e) { Thread.currentThread().interrupt(); }
  }

  private static Job take() throws InterruptedException {
    for (int spin = 0; spin < SPINS; spin++) {
      var job = QUEUE.poll();
      if (job != null) return job;
      Thread.onSpinWait();
    }
    return QUEUE.take();
  }
}
