package dev.handpick;

/** What an output's score is. */
public enum Task {
  /** A task that this version of the library does not know. */
  UNKNOWN(0),
  /** A probability: the sigmoid of the logit. */
  BINARY(1),
  /** The logit itself. */
  REGRESSION(2),
  /** The logit, which is a probability by itself. */
  PROBABILITY(3),
  /** The exponential of the logit: a probability, or a product of powers. */
  LOG_PROBABILITY(4);

  final int code;

  Task(int code) {
    this.code = code;
  }

  static Task of(int code) {
    for (Task task : values()) if (task.code == code) return task;
    return UNKNOWN;
  }
}
