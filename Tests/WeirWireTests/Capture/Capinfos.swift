import Support

/// Holds what capinfos says of one capture.
struct Capinfos {
    /// The line of figures; nil where it gives none.
    var figures: Figures?
    /// How many packets it read before what it complains of; nil where it does not complain, or did not begin to read.
    var packetsBefore: Int?
    /// Whether it complains.
    var complains = false

    /// Figures as capinfos prints them: times are seconds with a fraction, or `n/a`.
    struct Figures: Hashable {
        var packets: Int
        var bytes: Int
        var first: String
        var last: String
    }

    /// Runs capinfos once over many files, and returns what it says by their paths.
    static func run(_ paths: [String]) throws -> [String: Capinfos] {
        let folder = try TemporaryFolder()
        // T: a table, m Q r: quoted, with commas, without a header; M S: plain numbers; c d a e: what is asked.
        let ended = try ChildProgram.run("capinfos", ["-rTmQMcdaeS"] + paths, errors: folder.path + "/errors")
        var all: [String: Capinfos] = [:]
        for line in ended.output.split(separator: "\n") {
            let fields = line.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 11, let packets = Int(fields[3]), let bytes = Int(fields[5]) else {
                throw HelperError("capinfos printed \(line)")
            }
            let figures = Figures(packets: packets, bytes: bytes, first: fields[7], last: fields[9])
            all[fields[1], default: Capinfos()].figures = figures
        }
        for line in ended.errors.split(separator: "\n") {
            let fields = line.split(separator: "\"").map(String.init)
            guard line.hasPrefix("capinfos: "), fields.count >= 2 else { continue }
            all[fields[1], default: Capinfos()].complains = true
            let words = line.split(separator: " ")
            if let place = words.firstIndex(of: "reading"), let count = Int(words[place + 1]) {
                all[fields[1], default: Capinfos()].packetsBefore = count
            }
        }
        return all
    }
}

extension CaptureSummary {
    /// Gives the figures as capinfos prints them, with as many digits of each time as it has.
    func figures(like theirs: Capinfos.Figures?) -> Capinfos.Figures {
        Capinfos.Figures(
            packets: packets,
            bytes: bytes,
            first: Self.seconds(hasTimes ? earliest : nil, like: theirs?.first),
            last: Self.seconds(hasTimes ? latest : nil, like: theirs?.last)
        )
    }

    private static func seconds(_ time: Int64?, like text: String?) -> String {
        guard let time else { return "n/a" }
        let digits = text?.split(separator: ".").dropFirst().first?.count ?? 9
        let nanoseconds = String(1_000_000_000 + time % 1_000_000_000).dropFirst()
        return digits == 0 ? "\(time / 1_000_000_000)" : "\(time / 1_000_000_000).\(nanoseconds.prefix(digits))"
    }
}
