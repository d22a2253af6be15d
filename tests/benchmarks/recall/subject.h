// What the benchmark compares: an index over the same vectors that answers one query at a time.
#ifndef HANDPICK_TESTS_BENCHMARKS_RECALL_SUBJECT_H_
#define HANDPICK_TESTS_BENCHMARKS_RECALL_SUBJECT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace handpick::benchmarks {

// Built once, kept in a folder, and searched by another process: building takes minutes and must
// not be in the way of what is measured.
class SearchSubject {
 public:
  virtual ~SearchSubject() = default;

  // The best k items of one query [dimension], on the calling thread.
  virtual void Search(const float* query, size_t k, std::vector<uint32_t>* items) = 0;

  // Numbers that trade time for recall, small and fast ones first; the smallest that reaches the
  // target is measured. One that is not asked has one setting.
  virtual std::vector<uint32_t> Settings() const { return {0}; }
  virtual void Set(uint32_t /*setting*/) {}

  std::string name;
  size_t bytes = 0;  // Of the index with its vectors, as its own library writes it down.
};

// A library's indexes over `items` [count, dimension], built into files below `folder`; the file's
// name is the index's. Each returns CPU seconds by name.
struct BuildTime {
  std::string name;
  double seconds;
};
struct Vectors {
  const float* numbers;
  size_t count;
  size_t dimension;
};

std::vector<BuildTime> BuildFaiss(const Vectors& items, const std::string& folder);
std::vector<BuildTime> BuildHnswlib(const Vectors& items, const std::string& folder);

std::vector<std::unique_ptr<SearchSubject>> LoadFaiss(const std::string& folder, size_t dimension);
std::vector<std::unique_ptr<SearchSubject>> LoadHnswlib(const std::string& folder,
                                                        size_t dimension);

}  // namespace handpick::benchmarks

#endif  // HANDPICK_TESTS_BENCHMARKS_RECALL_SUBJECT_H_
