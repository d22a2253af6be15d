package android.os;

public abstract class ParcelFileDescriptor {
  public abstract int getFd();
}
