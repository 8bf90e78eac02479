package jacquard.kernels.cpu;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/// One pool of daemon threads for all kernels. Work is cut by shape alone, so that the bits do not depend on the number of cores;
/// which thread takes which piece does not matter.
public final class Parallel {
  private static final int THREADS = Integer.getInteger("jacquard.threads", Runtime.getRuntime().availableProcessors());
  private static final BlockingQueue<Job> QUEUE = new ArrayBlockingQueue<>(4096);
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
    final AtomicInteger next = new AtomicInteger();
    final CountDownLatch done;
    volatile Throwable failure;

    Job(int pieces, IntConsumer body) {
      this.pieces = pieces;
      this.body = body;
      this.done = new CountDownLatch(pieces);
    }

    void work() {
      for (int i; (i = next.getAndIncrement()) < pieces; ) {
        try { if (failure == null) body.accept(i); }
        catch (Throwable t) { failure = t; }
        finally { done.countDown(); }
      }
    }
  }

  private Parallel() {}

  public static int threads() { return THREADS; }

  /// Runs `body` for 0 … pieces−1, on this thread and the pool's; returns when all are done. A piece's failure is thrown here.
  public static void run(int pieces, IntConsumer body) {
    if (pieces <= 1 || THREADS == 1 || INSIDE.get()) {
      for (int i = 0; i < pieces; i++) body.accept(i);
      return;
    }
    var job = new Job(pieces, body);
    for (int i = Math.min(THREADS, pieces); i > 1; i--) if (!QUEUE.offer(job)) break;
    INSIDE.set(true);
    try { job.work(); } finally { INSIDE.set(false); }
    boolean interrupted = false;
    while (true) {
      try { job.done.await(); break; } catch (InterruptedException e) { interrupted = true; }
    }
    if (interrupted) Thread.currentThread().interrupt();
    if (job.failure != null) throw new IllegalStateException("a kernel failed: " + job.failure, job.failure);
  }

  /// Runs `body(from, to)` over 0 … n−1 in stretches of `grain`.
  public static void rows(int n, int grain, Rows body) {
    int g = Math.max(1, grain);
    run((n + g - 1) / g, i -> body.run(i * g, Math.min(n, i * g + g)));
  }

  public interface Rows { void run(int from, int to); }

  private static void serve() {
    INSIDE.set(true);
    while (true) {
      try { QUEUE.take().work(); } catch (InterruptedException e) { return; }
    }
  }
}
