// Prints what libxdf reads from a file, one line a value, for test_libxdf.py.
#include <xdf.h>

#include <cstdio>
#include <iostream>

int main(int, char **argv) {
    std::streambuf *out = std::cout.rdbuf(nullptr); // libxdf talks on stdout
    Xdf xdf;
    const int failed = xdf.load_xdf(argv[1]);
    std::cout.rdbuf(out);
    if (failed) return 1;
    for (size_t s = 0; s < xdf.streams.size(); ++s) {
        const auto &stream = xdf.streams[s];
        std::printf("stream\t%zu\t%s\t%s\t%d\t%.17g\t%s\t%d\n", s, stream.info.name.c_str(),
                    stream.info.type.c_str(), stream.info.channel_count,
                    stream.info.nominal_srate, stream.info.channel_format.c_str(),
                    stream.info.sample_count);
        for (const auto &channel : stream.info.channels)
            std::printf("channel\t%zu\t%s\t%s\t%s\n", s, channel.at("label").c_str(),
                        channel.at("unit").c_str(), channel.at("type").c_str());
        for (const auto &offset : stream.info.clock_offsets)
            std::printf("offset\t%zu\t%.17g\t%.17g\n", s, offset.first, offset.second);
        for (size_t k = 0; k < stream.time_stamps.size(); ++k)
            std::printf("time\t%zu\t%.17g\n", s, stream.time_stamps[k]);
        for (const auto &channel : stream.time_series)
            for (float value : channel) std::printf("value\t%zu\t%.9g\n", s, value);
    }
    for (const auto &event : xdf.eventMap)
        std::printf("event\t%d\t%.17g\t%s\n", event.second, event.first.second,
                    event.first.first.c_str());
}
