package jacquard.bench.peer;

import java.util.Scanner;

/// Jacquard's training step as a process that works on request, the counterpart of `worker.py`: `time SECONDS step` and
/// `peak`.
public final class Program {
  private Program() {}

  public static void main(String[] args) throws Exception {
    try (var training = Training.open()) {
      System.out.println("ready");
      for (var in = new Scanner(System.in); in.hasNextLine(); ) {
        var words = in.nextLine().split(" ");
        System.out.println(words[0].equals("peak") ? Resident.peak(ProcessHandle.current().pid())
            : jacquard.bench.harness.Lane.of(training::step).perCall(Double.parseDouble(words[1])));
      }
    }
  }
}
