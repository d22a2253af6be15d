// What archives of every format have in common: names, and who reads what is behind them.
#ifndef HANDPICK_CONVERTER_WEIGHTS_STORED_ARCHIVE_H_
#define HANDPICK_CONVERTER_WEIGHTS_STORED_ARCHIVE_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

class StoredArchive : public Archive {
 public:
  const char* format() const override { return format_; }
  const std::string& origin() const override { return origin_; }
  const std::map<std::string, TensorInfo>& tensors() const override { return tensors_; }
  std::vector<std::string> Order() const override;
  const std::vector<std::string>& notices() const override { return notices_; }
  absl::StatusOr<Tensor> Read(const std::string& name) const override;

  // Takes off what wrappers put before every name, "module." of a DataParallel say, if every tensor
  // has it; and says so.
  void TakeOffWrappers();

 protected:
  StoredArchive(const char* format, std::string origin);

  // How messages speak of a tensor.
  std::string Shown(const std::string& name) const;
  // The next tensor, which ReadEntry knows by `entry`. An error: there is one of that name already.
  absl::Status Add(const std::string& name, TensorInfo info, size_t entry);
  // The order in which tensors are added says something.
  void KeepOrder() { keeps_order_ = true; }
  void AddNotice(std::string notice) { notices_.push_back(std::move(notice)); }

  // `what` names the tensor in messages. Sets the data, and integers.
  virtual absl::StatusOr<Tensor> ReadEntry(size_t entry, const std::string& what) const = 0;

 private:
  const char* const format_;
  const std::string origin_;
  std::map<std::string, TensorInfo> tensors_;
  std::map<std::string, size_t> entries_;
  bool keeps_order_ = false;
  std::vector<std::string> order_;  // Names as they were added.
  std::vector<std::string> notices_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_STORED_ARCHIVE_H_
