import ArgumentParser
import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirWire

#if TLS
import WeirTLS
#endif

/// The options of `weir show` for what TLS encrypts.
struct DecryptionOptions: ParsableArguments {
    @Option(
        name: .customLong("keylog"),
        help: ArgumentHelp(
            "Decrypt TLS with the secrets in this file, as browsers, curl (SSLKEYLOGFILE) and weir relay --tls-keylog write it; "
                + "may be repeated. Secrets in a pcapng file count without it.",
            valueName: "file"
        ),
        completion: .file()
    )
    var keyLogs: [String] = []
}

/// The secrets with which `weir show` decrypts TLS, and what it says of that.
struct ShowDecryption {
    #if TLS
    private let tls = TLSDecryption()
    #endif
    /// Whether the first secrets stand behind packets.
    private var isLate = false
    private static let mostNotes = 5

    /// Reads the secrets of key logs, and those in captures.
    ///
    /// - Throws: `Failure`: 64 if this program is built without TLS; 65, 66 or 77 if a key log cannot be read.
    init(_ options: DecryptionOptions, _ inputs: ShowInputs) throws(Failure) {
        #if TLS
        for path in options.keyLogs {
            let report = tls.add(try SmallFile.read(path, upTo: 256 << 20))
            if let line = report.firstBadLine {
                let others = report.badLines > 1 ? ", and \(report.badLines - 1) more" : ""
                Diagnostics.print(
                    "'\(path)' is no key log (LABEL CLIENT_RANDOM SECRET) in line \(line)\(others)"
                )
            } else if report.secrets == 0 {
                Diagnostics.print("'\(path)' has no secrets")
            }
        }
        for file in inputs.files {
            for text in SecretsSearch.secrets(in: file.path, isThorough: !tls.isEmpty) { tls.add(text) }
        }
        #else
        if !options.keyLogs.isEmpty {
            throw Failure(.usage, "--keylog needs TLS, without which this program was built (trait TLS)")
        }
        #endif
    }

    /// The decrypting readers; nil if there are no secrets, so that reading costs nothing.
    var stages: (any StreamStages)? {
        #if TLS
        tls.isEmpty ? nil : tls
        #else
        nil
        #endif
    }

    /// Takes the secrets in a block that stands behind a number of packets.
    mutating func add(_ block: CaptureBlock, after packets: Int) {
        #if TLS
        guard case .secrets(let secrets) = block, secrets.format == .tls else { return }
        if tls.isEmpty, packets > 0 { isLate = true }
        tls.add(secrets.bytes)
        #endif
    }

    /// What became of the connections, a line each.
    func notes(_ rows: FlowRows) -> [String] {
        #if TLS
        let report = tls.report
        var counts: [String] = []
        if report.decrypted > 0 { counts.append("decrypted \(Self.count(report.decrypted))") }
        if report.withoutSecrets > 0 { counts.append("no secrets for \(Self.count(report.withoutSecrets))") }
        var notes = counts.isEmpty ? [] : ["TLS: \(counts.joined(separator: ", "))"]
        if isLate {
            notes.append("TLS: the first secrets stand behind packets; connections that began before stay encrypted")
        }
        for stopped in report.stopped.prefix(Self.mostNotes) {
            let number = rows.label(stopped.flow, isApart: false).number
            let side = stopped.direction == .upstream ? "client" : "server"
            notes.append(
                "TLS: flow \(number) stays encrypted from byte \(stopped.offset) of the \(side) on: \(stopped.reason)"
            )
        }
        let others = report.stopped.count - Self.mostNotes
        if others > 0 { notes.append("TLS: \(Self.count(others)) more stay encrypted from some place on") }
        return notes
        #else
        return []
        #endif
    }

    private static func count(_ number: Int) -> String { number == 1 ? "1 connection" : "\(number) connections" }
}
