#if TLS
import WeirTLS

/// The RSA key for clients that take no ECDSA: making it takes a few tenths of a second, so a thread of its own does so at the first need.
final class LateKey: Sendable {
    private enum State {
        case none
        case isMade
        case done(PrivateKey)
        case failed(TLSSetupError)
    }

    private let state = Lock(State.none)

    /// Returns the key; nil while it is being made.
    ///
    /// - Throws: `TLSSetupError` if it cannot be made.
    func take() throws(TLSSetupError) -> PrivateKey? {
        let (found, begins) = state.withLock { state -> (State, Bool) in
            guard case .none = state else { return (state, false) }
            state = .isMade
            return (state, true)
        }
        if begins { try start() }
        switch found {
        case .none, .isMade: return nil
        case .done(let key): return key
        case .failed(let error): throw error
        }
    }

    private func start() throws(TLSSetupError) {
        do throws(SystemError) {
            try startThread(named: "weir-rsa-key") { [self] in
                let outcome: State
                do throws(TLSSetupError) {
                    outcome = .done(try PrivateKey(.rsa(bits: 2048)))
                } catch {
                    outcome = .failed(error)
                }
                state.withLock { $0 = outcome }
            }
        } catch {
            // The next client may have more luck.
            state.withLock { $0 = .none }
            throw TLSSetupError("\(error)")
        }
    }
}
#endif
