// The commands that do the work. Each is told its arguments, reads its flags, and returns the
// program's exit status.
#ifndef HANDPICK_CONVERTER_CLI_COMMANDS_H_
#define HANDPICK_CONVERTER_CLI_COMMANDS_H_

#include <string>
#include <vector>

namespace handpick::converter {

int RunCompare(const std::vector<std::string>& positional);
int RunConvert(const std::vector<std::string>& positional);
int RunDelta(const std::vector<std::string>& positional);
int RunDiff(const std::vector<std::string>& positional);
int RunDraft(const std::vector<std::string>& positional);
int RunEvaluate(const std::vector<std::string>& positional);
int RunInspect(const std::vector<std::string>& positional);
int RunPatch(const std::vector<std::string>& positional);
int RunScore(const std::vector<std::string>& positional);
int RunRank(const std::vector<std::string>& positional);
int RunBench(const std::vector<std::string>& positional);
int RunItemVectors(const std::vector<std::string>& positional);
int RunRecallIndex(const std::vector<std::string>& positional);
int RunRecall(const std::vector<std::string>& positional);
int RunRecallEval(const std::vector<std::string>& positional);
int RunRecommend(const std::vector<std::string>& positional);
int RunSign(const std::vector<std::string>& positional);
int RunVerify(const std::vector<std::string>& positional);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_COMMANDS_H_
