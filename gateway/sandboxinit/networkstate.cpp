#include "gateway/sandboxinit/networkstate.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace Sandpiper {

namespace {

// The words of each line after the first of a table in /proc.
template <typename Match> bool anyRow(const char *path, int headings, Match match)
{
    std::ifstream file(path);
    std::string line;
    for (int i = 0; i < headings; ++i)
        std::getline(file, line);
    while (std::getline(file, line)) {
        std::istringstream stream(line);
        std::vector<std::string> words;
        for (std::string word; words.size() < 16 && stream >> word;)
            words.push_back(word);
        if (match(words))
            return true;
    }
    return false;
}

} // namespace

bool hasDefaultRoute()
{
    const bool four = anyRow("/proc/self/net/route", 1, [](const std::vector<std::string> &words) {
        return words.size() > 7 && words[1] == "00000000" && words[7] == "00000000";
    });
    // In the IPv6 table "lo" has entries of this form that mean "no way there".
    return four || anyRow("/proc/self/net/ipv6_route", 0, [](const std::vector<std::string> &words) {
        return words.size() > 9 && words[1] == "00" && words[0] == std::string(32, '0')
                && words[9] != "lo";
    });
}

bool hasEstablishedConnection()
{
    const auto established = [](const std::vector<std::string> &words) {
        return words.size() > 3 && words[3] == "01";
    };
    return anyRow("/proc/self/net/tcp", 1, established)
            || anyRow("/proc/self/net/tcp6", 1, established);
}

unsigned long long oomKillsSoFar()
{
    unsigned long long kills = 0;
    anyRow("/proc/vmstat", 0, [&kills](const std::vector<std::string> &words) {
        if (words.size() != 2 || words[0] != "oom_kill")
            return false;
        kills = std::strtoull(words[1].c_str(), nullptr, 10);
        return true;
    });
    return kills;
}

} // namespace Sandpiper
