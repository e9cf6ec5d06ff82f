import Foundation
import Glibc
import Support
import Testing
import WeirWire

/// What several views show of the captures in `Captures/`, line for line.
@Suite("The captures of the manifest", .tags(.capture), .timeLimit(.minutes(1)))
struct CapturesTests {
    /// One line of the manifest.
    struct Row: Sendable, CustomTestStringConvertible {
        var capture: String
        var view: View
        var golden: String

        var testDescription: String { "\(view) of \(capture)" }
    }

    /// Lists the ways to look at a capture.
    enum View: Sendable {
        /// Shows each packet as this project's reader sees it.
        case packets
        /// Shows what stands between the packets.
        case blocks
        /// Shows the fields that tshark finds.
        case tshark
        /// Shows what `weir show` shows with some options.
        case show([String])

        init?(_ name: String) {
            switch name {
            case "packets": self = .packets
            case "blocks": self = .blocks
            case "tshark": self = .tshark
            default:
                let words = name.split(separator: " ").map(String.init)
                guard words.first == "show" else { return nil }
                self = .show(Array(words.dropFirst()))
            }
        }
    }

    private static let folder =
        URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Captures").standardizedFileURL.path

    private static let rows: [Row] = {
        let text = (try? TemporaryFolder.read(folder + "/manifest.tsv")) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap {
            line in
            let fields = line.split(separator: "\t").map(String.init)
            guard fields.count == 3, let view = View(fields[1]) else { return nil }
            return Row(capture: fields[0], view: view, golden: fields[2])
        }
    }()

    @Test("Names captures that are there, and no file of the folder is left out")
    func manifest() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder).filter { $0.hasPrefix("demo") }
        #expect(Set(names) == Set(Self.rows.map(\.capture) + Self.rows.map(\.golden)))
        #expect(Self.rows.count >= 24)
    }

    @Test("Shows what it has always shown", .needsProgram("tshark"), arguments: rows)
    func golden(_ row: Row) async throws {
        let path = Self.folder + "/" + row.capture
        let shown: [String] =
            switch row.view {
            case .packets: try Self.packets(path)
            case .blocks: try Self.blocks(path)
            case .tshark: try Self.tshark(path)
            case .show(let options): try await Self.show(row.capture, options)
            }
        let golden = Self.folder + "/" + row.golden
        let text = shown.joined(separator: "\n") + "\n"
        if getenv("WEIR_UPDATE_GOLDENS") != nil { try Data(text.utf8).write(to: URL(fileURLWithPath: golden)) }
        #expect(text == String(decoding: try TemporaryFolder.read(golden), as: UTF8.self))
    }

    private static func show(_ name: String, _ options: [String]) async throws -> [String] {
        // Named without its folder, and with times that are the same everywhere.
        let launcher = ["env", "-C", folder, "TZ=UTC"]
        let ended = try await WeirProgram(["show", name] + options, launcher: launcher).finish()
        #expect(ended.status == 0)
        #expect(ended.errors == "")
        let lines = String(decoding: ended.output, as: UTF8.self).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        return (lines.last == "" ? lines.dropLast() : lines).map(String.init)
    }

    private static func packets(_ path: String) throws -> [String] {
        let capture = try SeenCapture(try TemporaryFolder.read(path))
        let start = capture.packets.first?.time ?? 0
        return zip(capture.lines, capture.packets).map { line, packet in
            let number = packet.number.map { "#\($0) " } ?? ""
            let sums = packet.hasValidChecksums ? "" : " wrong checksum"
            let text = packet.payload.isEmpty ? "" : " \(String(decoding: packet.payload, as: UTF8.self))"
            let comments = packet.comments.map { " [\($0)]" }.joined()
            let ends = "\(packet.source) > \(packet.destination)"
            return "\(number)+\(packet.time - start) ns \(ends) \(line)\(text)\(sums)\(comments)"
        }
    }

    private static func blocks(_ path: String) throws -> [String] {
        let capture = try SeenCapture(try TemporaryFolder.read(path))
        return zip(capture.places, capture.blocks).map { place, block in
            let text =
                switch block {
                case .section(let section): "section \(section.application ?? ""), \(section.comments.joined())"
                case .interface(let interface): "interface \(interface.name ?? ""), \(interface.description ?? "")"
                case .statistics(let statistics):
                    "statistics of interface \(statistics.interface), "
                        + "\(statistics.received ?? 0) received, \(statistics.droppedByInterface ?? 0) dropped, "
                        + "\(statistics.delivered ?? 0) delivered"
                case .pcapHeader(let header): "pcap \(header.linkType), nanoseconds \(header.isNanoseconds)"
                case .names, .secrets, .custom: "\(block)"
                }
            return "behind \(place) packets: \(text)"
        }
    }

    private static func tshark(_ path: String) throws -> [String] {
        let names = [
            "frame.number", "frame.interface_name", "ip.src", "tcp.srcport", "udp.srcport", "tcp.stream", "udp.stream",
            "tcp.flags", "tcp.seq", "tcp.ack", "tcp.len", "udp.length", "tcp.completeness", "ip.checksum.status",
            "tcp.checksum.status", "udp.checksum.status", "frame.comment",
        ]
        return try Tshark.fields(path, names).map { $0.joined(separator: " ") } + [
            "complaints: \(try Tshark.complaints(path))"
        ]
    }
}
