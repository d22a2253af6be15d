package dev.handpick;

import org.jetbrains.annotations.NotNull;

/** What a model says of a candidate: a click, a purchase, ... From {@link Model#output}. Immutable. */
public final class Output {
  final ModelHandle model;
  final int number;
  private final Task task;
  private final String name;

  Output(ModelHandle model, int number, long[] numbers, byte[][] strings) {
    this.model = model;
    this.number = number;
    task = Task.of((int) numbers[0]);
    name = Text.required(strings[0]);
  }

  public @NotNull String getName() {
    return name;
  }

  public @NotNull Task getTask() {
    return task;
  }

  @Override
  public String toString() {
    return "output '" + name + "'";
  }

  void expect(ModelHandle expected) {
    if (model != expected) throw new HandpickException(Status.UNKNOWN_OUTPUT, this + " is of another model");
  }
}
