import Synchronization
package import WeirDissect
package import WeirWire

/// The secrets of a capture's TLS connections, and what became of these.
///
/// It gives each flow its decrypting reader. Secrets may be added while the capture is read; a connection needs its own when its
/// client's hello is read.
package final class TLSDecryption: StreamStages {
    /// The reason why a direction of a connection stays encrypted from some place on.
    package enum Stop: Hashable, Sendable {
        /// Bytes were not captured.
        case missingBytes
        /// A record is not authentic.
        case wrongSecret
        /// The log has secrets of the connection, but not this direction's.
        case noSecret
        case unknownSuite(UInt16)
        case unknownVersion(UInt16)
        /// What follows is no record of TLS.
        case noRecord
    }

    /// A place from which on a direction stays encrypted.
    package struct Stopped: Hashable, Sendable {
        /// The number of the flow.
        package var flow: Int
        package var direction: Direction
        /// The offset in the captured stream.
        package var offset: Int
        package var reason: Stop
    }

    /// The report on all connections.
    package struct Report: Hashable, Sendable {
        /// The number of connections of which something was decrypted.
        package var decrypted = 0
        /// The number of connections of which there are no secrets.
        package var withoutSecrets = 0
        /// Where connections stay encrypted, each one once, by flows.
        package var stopped: [Stopped] = []
    }

    private struct State {
        var keys = KeyLog()
        var decrypted: Set<[UInt8]> = []
        var withoutSecrets: Set<[UInt8]> = []
        var stopped: [[UInt8]: Stopped] = [:]
    }

    private let state = Mutex(State())

    /// The maximum number of connections that are told apart.
    private static let mostConnections = 1 << 20

    /// Creates one without secrets.
    package init() {}

    /// Adds the lines of a key log.
    ///
    /// - Returns: The report on the lines.
    @discardableResult
    package func add(_ text: [UInt8]) -> KeyLog.Report { state.withLock { $0.keys.add(text) } }

    /// Whether there are no secrets.
    package var isEmpty: Bool { state.withLock { $0.keys.isEmpty } }

    package func stage(of flow: Int) -> any StreamStage { TLSDecryptor(self, flow: flow) }

    /// What became of the connections so far.
    package var report: Report {
        state.withLock { state in
            Report(
                decrypted: state.decrypted.count,
                withoutSecrets: state.withoutSecrets.count,
                stopped: state.stopped.values.sorted { ($0.flow, $0.offset) < ($1.flow, $1.offset) }
            )
        }
    }

    /// Returns the secrets of a connection; it counts as one without any if there are none.
    func secrets(of random: [UInt8]) -> KeyLog.Secrets? {
        state.withLock { state in
            if let secrets = state.keys[random] { return secrets }
            if state.withoutSecrets.count < Self.mostConnections { state.withoutSecrets.insert(random) }
            return nil
        }
    }

    /// Notes that something of a connection was decrypted.
    func note(decrypted random: [UInt8]) {
        state.withLock { state in
            if state.decrypted.count < Self.mostConnections { state.decrypted.insert(random) }
        }
    }

    /// Notes where a connection stays encrypted; the first place counts, and that several readers find it.
    func note(_ stopped: Stopped, of random: [UInt8]) {
        state.withLock { state in
            guard state.stopped[random] == nil, state.stopped.count < Self.mostConnections else { return }
            state.stopped[random] = stopped
        }
    }
}

extension TLSDecryption.Stop: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missingBytes: "bytes were not captured"
        case .wrongSecret: "a record does not decrypt: the secret is another one's, or bytes are wrong"
        case .noSecret: "the secret of this direction is missing"
        case .unknownSuite(let number): "cipher suite 0x\(number.bytes.hexadecimal) is not supported"
        case .unknownVersion(let number): "version 0x\(number.bytes.hexadecimal) is not supported"
        case .noRecord: "what follows is no record of TLS"
        }
    }
}
