#include "tests/benchmarks/rivals/opening.h"

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "tests/benchmarks/rivals/bundle_file.h"
#include "tests/benchmarks/rivals/packed_request.h"
#include "tests/benchmarks/rivals/rival_library.h"
#include "tests/benchmarks/rivals/timing.h"

namespace handpick::rivals {
namespace {

using converter::Request;

constexpr size_t kEvents = 50;
constexpr size_t kRequests = 4;

// Of /proc/self/status, in bytes.
struct Resident {
  double all = 0;
  double anonymous = 0;
};

Resident ReadResident() {
  Resident resident;
  std::ifstream file("/proc/self/status");
  std::string line;
  while (std::getline(file, line)) {
    long long kilobytes = 0;
    if (std::sscanf(line.c_str(), "VmRSS: %lld kB", &kilobytes) == 1) {
      resident.all = 1024.0 * static_cast<double>(kilobytes);
    } else if (std::sscanf(line.c_str(), "RssAnon: %lld kB", &kilobytes) == 1) {
      resident.anonymous = 1024.0 * static_cast<double>(kilobytes);
    }
  }
  return resident;
}

// What a child process found; sent through a pipe.
struct Growth {
  Resident resident;
  double accounted = 0;
};

absl::StatusOr<Growth> InChild(const std::function<absl::StatusOr<Growth>()>& measure) {
  int ends[2];
  if (pipe(ends) != 0) return absl::InternalError("cannot make a pipe");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return absl::InternalError("cannot fork");
  if (child == 0) {
    close(ends[0]);
    const absl::StatusOr<Growth> growth = measure();
    if (!growth.ok()) std::fprintf(stderr, "%s\n", growth.status().ToString().c_str());
    const bool sent = growth.ok() && write(ends[1], &*growth, sizeof(Growth)) == sizeof(Growth);
    _exit(sent ? 0 : 1);
  }
  close(ends[1]);
  Growth growth;
  const bool received = read(ends[0], &growth, sizeof(growth)) == sizeof(growth);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!received || status != 0) return absl::InternalError("a process that measures memory failed");
  return growth;
}

// Memory that was freed is handed back at once, and is not used again unseen.
void FixAllocator() {
  mallopt(M_MMAP_THRESHOLD, 64 << 10);
  mallopt(M_TRIM_THRESHOLD, 64 << 10);
  malloc_trim(0);
}

Growth Since(const Resident& before) {
  malloc_trim(0);
  const Resident after = ReadResident();
  return {{after.all - before.all, after.anonymous - before.anonymous}, 0};
}

std::vector<Request> MakeRequests(const workloads::Workload& workload) {
  std::vector<Request> requests;
  for (size_t i = 0; i < kRequests; ++i) {
    requests.push_back(
        workloads::MakeRequest(workload, i, workloads::StandardCandidates(workload), kEvents));
  }
  return requests;
}

absl::StatusOr<Growth> GrowthOfRival(const std::string& library, const std::string& path,
                                     const workloads::Workload& workload) {
  HP_ASSIGN_OR_RETURN(const rival_api* const api, LoadRival(library));
  std::vector<PackedRequest> requests;
  for (const Request& request : MakeRequests(workload)) {
    requests.emplace_back(workload.spec, request);
  }
  FixAllocator();
  const Resident before = ReadResident();
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<RivalSession> session, RivalSession::Open(api, path));
  for (const PackedRequest& request : requests) {
    HP_ASSIGN_OR_RETURN(const size_t number, session->Add(request, "scores"));
    HP_RETURN_IF_ERROR(session->Run(number));
  }
  return Since(before);
}

absl::StatusOr<Growth> GrowthOfBundle(const std::string& path,
                                      const workloads::Workload& workload) {
  const std::vector<Request> requests = MakeRequests(workload);
  FixAllocator();
  const Resident before = ReadResident();
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<BundleFile> bundle, BundleFile::Open(path));
  for (const Request& request : requests) {
    HP_RETURN_IF_ERROR(bundle->Run(bundle->Add(workload.spec, request)));
  }
  Growth growth = Since(before);
  growth.accounted = static_cast<double>(bundle->bytes());
  return growth;
}

// Ends the process: what is timed has been done before without a fault.
void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "runner: %s\n", status.ToString().c_str());
  std::exit(1);
}

}  // namespace

absl::Status MeasureMemory(const OpeningFiles& files, const workloads::Workload& workload,
                           OpeningReport* report) {
  for (const auto& [form, path] : files.rival) {
    HP_ASSIGN_OR_RETURN(const Growth growth, InChild([&, &path = path] {
                          return GrowthOfRival(files.library, path, workload);
                        }));
    report->rival_bytes[form] = growth.resident.all;
  }
  for (const auto& [name, path] : files.bundles) {
    HP_ASSIGN_OR_RETURN(const Growth growth,
                        InChild([&, &path = path] { return GrowthOfBundle(path, workload); }));
    report->handpick_bytes[name] = growth.accounted;
    report->handpick_anonymous_bytes[name] = growth.resident.anonymous;
  }
  return absl::OkStatus();
}

absl::Status MeasureOpening(const OpeningFiles& files, const rival_api* api,
                            converter::Calibrator* calibrator,
                            const converter::MeasureOptions& options, OpeningReport* report) {
  std::vector<converter::Subject> subjects;
  std::vector<Timing*> timings;
  for (const auto& [form, path] : files.rival) {
    auto session = std::make_shared<std::unique_ptr<RivalSession>>();
    const auto open = [session, api, path = path] {
      absl::StatusOr<std::unique_ptr<RivalSession>> opened = RivalSession::Open(api, path);
      Check(opened.status());
      *session = *std::move(opened);
    };
    subjects.push_back({form, open, [session] { session->reset(); }});
    timings.push_back(&report->rival[form]);
  }
  for (const auto& [name, path] : files.bundles) {
    auto bundle = std::make_shared<std::unique_ptr<BundleFile>>();
    const auto open = [bundle, path = path] {
      absl::StatusOr<std::unique_ptr<BundleFile>> opened = BundleFile::Open(path);
      Check(opened.status());
      *bundle = *std::move(opened);
    };
    subjects.push_back({name, open, [bundle] { bundle->reset(); }});
    timings.push_back(&report->handpick[name]);
  }
  const converter::Measurement measured = converter::MeasureInTurn(calibrator, subjects, options);
  for (size_t i = 0; i < timings.size(); ++i) *timings[i] = TimingOf(measured.series[i]);
  return measured.status;
}

}  // namespace handpick::rivals
