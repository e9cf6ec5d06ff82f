import Foundation
import Glibc
import Support
import Testing
import WeirWire

@Suite("Reading captures to show them", .tags(.capture), .timeLimit(.minutes(1)))
struct ShowRunTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func made(_ name: String, _ texts: [String], isNanoseconds: Bool = false) throws -> String {
        var capture = MadeCapture(isNanoseconds: isNanoseconds)
        for (number, text) in texts.enumerated() { capture.udp((5000 + number, 9), text, at: number + 1) }
        return try folder.file(name, capture.bytes)
    }

    /// Returns the first columns of what a view shows, without the head and the totals.
    private func columns(_ arguments: [String], _ columns: Int...) async throws -> [String] {
        let ended = try await shown(arguments)
        #expect(ended.status == 0 && ended.errors == "")
        return ended.output.split(separator: "\n").filter { !$0.hasPrefix("flow ") && !$0.hasPrefix("total") }.map {
            line in
            let words = line.split(separator: " ")
            return columns.map { String(words[$0]) }.joined(separator: " ")
        }
    }

    @Test("Flows are numbered through all files, sorted, turned round and chosen")
    func flows() async throws {
        let first = try made("a.pcap", ["a", "bbbb", "ccc"])
        let second = try made("b.pcap", ["a", "bb", "c", "d"])
        #expect(try await columns([first, second], 0, 7, 8) == ["1 2 2", "2 2 6", "3 2 4", "4 1 1"])
        #expect(try await columns([first, "--reverse"], 0) == ["3", "2", "1"])
        #expect(try await columns([first, "--sort", "bytes"], 0) == ["2", "3", "1"])
        #expect(try await columns([first, "--sort", "bytes", "--reverse"], 0) == ["1", "3", "2"])
        #expect(try await columns([first, "--flow", "2"], 0) == ["2"])
        #expect(try await columns([first, "--limit", "2"], 0) == ["1", "2"])
        #expect(try await columns([first, "--sort", "bytes", "--limit", "1"], 0) == ["2"])
        let longest = try await shown([first, "--sort", "took", "--limit", "1"])
        #expect(longest.output.hasSuffix("total: 1 flow of 3, 1 packet, 1 byte of payload\n"))
        #expect(try await columns([first, "--where", "port 5001 or port 5002"], 0) == ["2", "3"])
        #expect(try await columns([first, "--where", "port 5001 or port 5002", "--flow", "3"], 0) == ["3"])
        #expect(try await columns([first, "--where", "port 5001", "--flow", "3"], 0).isEmpty)
        #expect(try await columns([first, "--where", "bytes > 1"], 0) == ["2", "3"])
        #expect(try await shown([first]).output.hasSuffix("total: 3 flows, 3 packets, 8 bytes of payload\n"))
        let one = try LogLines(Array(try await shown([first, "--json", "--flow", "2"]).output.utf8))
        #expect(one.objects.map { $0["flow"] as? Int } == [2])
    }

    @Test("Packets have the digits of their file's times, and those of one flow their numbers")
    func packets() async throws {
        let micro = try made("a.pcap", ["a", "b", "a"])
        let nano = try made("b.pcap", ["c", "d"], isNanoseconds: true)
        let times = try await columns([micro, nano, "--packets"], 0, 1)
        #expect(
            times == [
                "1 0.000000", "2 0.000001", "3 0.000002", "4 -0.000000999", "5 -0.000000998",
            ]
        )
        #expect(try await columns([micro, nano, "--packets", "--flow", "2"], 0) == ["2", "5"])
        #expect(try await columns([micro, "--packets", "--where", "port 5002"], 0) == ["3"])
        let json = try LogLines(Array(try await shown([micro, "--packets", "--json", "--flow", "3"]).output.utf8))
        #expect(json.objects.count == 1 && json.objects[0]["packet"] as? Int == 3, "\(json.objects)")
        let hex = try await shown([micro, "--packets", "--hex", "--flow", "1"])
        #expect(
            hex.output.split(separator: "\n").count == 4 && hex.output.contains("\n00000000  02 00 00 00 00 02 02 00 ")
        )
    }

    @Test(
        "A flow that is not there is one error, whatever the view",
        arguments: [
            ["--flow", "999"], ["--flow", "999", "--json"], ["--messages", "--flow", "999"], ["--follow", "999"],
            ["--messages", "--sort", "took", "--flow", "999"], ["--packets", "--flow", "999"], ["--curl", "999"],
            ["--errors", "--flow", "999"], ["--stats", "--flow", "999"], ["--grep", "a", "--flow", "999"],
            ["--har", "-", "--flow", "999"], ["--flow", "999", "--where", "tcp"],
        ]
    )
    func missing(options: [String]) async throws {
        let path = try made("a.pcap", ["a", "bbbb", "ccc"])
        let ended = try await shown([path] + options)
        #expect(ended.status == 1 && ended.output == "")
        #expect(ended.errors == "weir: there is no flow 999: the capture has 3\n")
        // A query that nothing fits is no error.
        #expect(try await shown([path, "--where", "flow 999"]).status == 0)
    }

    @Test("Times have the digits of the interface that the packet came from, nine at most, and six where it says none")
    func digits() async throws {
        var writer = PcapngWriter()
        var buffer = ByteBuffer()
        var expected: [String] = []
        for resolutions in [[nil, 3, 6, 9, 12, 0x8a], [3]] as [[UInt8?]] {
            writer.append(CaptureSection(), to: &buffer)
            for resolution in resolutions {
                var interface = CaptureInterface(linkType: .ethernet)
                interface.resolution = resolution.map { TimestampResolution(rawValue: $0) }
                writer.append(interface, to: &buffer)
            }
            for (number, resolution) in resolutions.enumerated() {
                let packet = PacketMetadata(timestamp: 5_000_000_000, interface: UInt32(number))
                writer.append(packet, [UInt8](repeating: 1, count: 20).span.bytes, to: &buffer)
                let digits = resolution.map { min(Int($0), 9) } ?? 6
                expected.append("0." + String(repeating: "0", count: digits))
            }
        }
        let path = try folder.file("a.pcapng", buffer.withUnsafeBytes { Array($0) })
        #expect(try await columns([path, "--packets"], 1) == expected)
    }

    @Test("What cannot be read is told, and the others are shown; the code is that of the first")
    func failures() async throws {
        let good = try made("a.pcap", ["a"])
        let (missing, bad) = (folder.path + "/none", try folder.file("bad", Array("nonsense".utf8)))
        let some = try await shown([missing, good, bad])
        #expect(some.status == 66 && some.output.contains("total: 1 flow, 1 packet, 1 byte of payload"))
        let lines = some.errors.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].contains(missing) && lines[1].contains(bad), "\(some.errors)")
        let other = try await shown([bad, good, missing])
        #expect(other.status == 65)
        let none = try await shown([missing])
        #expect(none.status == 66 && none.output == "" && none.errors.split(separator: "\n").count == 1)
        let summary = try await shown([good, missing, "--summary"])
        #expect(summary.status == 66 && summary.output.contains(missing))
        let objects = try LogLines(Array(try await shown([good, missing, "--summary", "--json"]).output.utf8)).objects
        #expect(objects.count == 1 && "\(objects[0])".contains(missing))
    }

    @Test("Blocks of a kind that is not known are counted, in all files together")
    func skippedBlocks() async throws {
        let block: [UInt8] = [0x0B, 0x0B, 0, 0x40, 16, 0, 0, 0, 1, 2, 3, 4, 16, 0, 0, 0]
        let section: [UInt8] = [
            0x0A, 0x0D, 0x0D, 0x0A, 28, 0, 0, 0, 0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255,
            255,
            28, 0, 0, 0,
        ]
        let paths = [
            try folder.file("a.pcapng", section + block), try folder.file("b.pcapng", section + block + block),
        ]
        let text = try await shown(paths + ["--summary"])
        #expect(text.status == 0 && text.output.contains("3 blocks of a kind that is not known"), "\(text.output)")
        #expect(try await !shown([try made("c.pcap", ["a"]), "--summary"]).output.contains("of a kind"))
    }

    @Test("Packets of a pipe are shown as they come")
    func pipes() async throws {
        var capture = MadeCapture()
        capture.udp((5000, 9), "one", at: 1)
        let first = capture.bytes
        capture.udp((5000, 9), "two", at: 2)
        let program = try WeirProgram(["show", "-", "--packets"], launcher: ["env", "TZ=UTC"])
        try program.write(first)
        #expect(try program.readOutput(through: "\n").hasPrefix("    1   0.000000 "))
        let ended = try await program.finish(sending: Array(capture.bytes[first.count...]))
        #expect(ended.status == 0 && String(decoding: ended.output, as: UTF8.self).hasPrefix("    2   0.000001 "))
        let piped = try await shown(["-"], sending: capture.bytes)
        #expect(piped.status == 0 && piped.output.contains("total: 1 flow, 2 packets, 6 bytes of payload"))
    }

    @Test("Colours are there when they are asked for alone, and raw bytes go to no terminal")
    func colors() async throws {
        let path = try made("a.pcap", ["a"])
        for options in [[], ["--packets"], ["--summary"]] {
            let always = try await shown([path, "--color", "always"] + options)
            #expect(always.output.contains("\u{1B}["), "\(options)")
            #expect(try await !shown([path, "--color", "auto"] + options).output.contains("\u{1B}["))
        }
    }

    @Test(
        "On a terminal lines have colours, unless the user wants none; bytes of the traffic do not go there as they are",
        .needsProgram("script"),
        arguments: [("", true), ("NO_COLOR=1", false), ("NO_COLOR=", true), ("TERM=dumb", false)]
    )
    func terminals(variable: String, isColored: Bool) async throws {
        let path = try made("a.pcap", ["a"])
        let weir = try WeirProgram.path()
        func run(_ options: String) throws -> ChildProgram.Ended {
            let command = "env TERM=xterm \(variable) \(weir) show \(path) \(options)"
            return try ChildProgram.run("script", ["-qec", command, "/dev/null"])
        }
        #expect(try run("").output.contains("\u{1B}[") == isColored)
        #expect(try !run("--color never").output.contains("\u{1B}["))
        let raw = try run("--follow 1 --as raw")
        #expect(raw.status == 64 && raw.output.contains("weir: --as raw is for a pipe or a file"))
        #expect(try run("--follow 1").output.contains("  | a"))
    }
}
