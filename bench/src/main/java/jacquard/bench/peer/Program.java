package jacquard.bench.peer;

import java.util.Scanner;

/// A training step of Jacquard's as a process that works on request, the counterpart of `worker.py`: `time SECONDS
/// WORK` and `peak`. The step is named when it starts; see [Training#open(String)].
public final class Program {
  private Program() {}

  public static void main(String[] args) throws Exception {
    try (var training = Training.open(args.length == 0 ? "step" : args[0])) {
      System.out.println("ready");
      for (var in = new Scanner(System.in); in.hasNextLine(); ) {
        var words = in.nextLine().split(" ");
        System.out.println(words[0].equals("peak") ? Resident.peak(ProcessHandle.current().pid())
            : jacquard.bench.harness.Lane.of(training::step).perCall(Double.parseDouble(words[1])));
      }
    }
  }
}
