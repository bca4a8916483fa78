package import HTTPTypes

/// The headers that HTTPTypes does not name, most of them the ABRT retrace API's; every name is a token, so none of these is ever the fallback.
extension HTTPField.Name {
    package static let taskID = named("X-Task-Id")
    package static let taskPassword = named("X-Task-Password")
    package static let taskStatus = named("X-Task-Status")
    package static let taskType = named("X-Task-Type")
    package static let coreFileDirectory = named("X-CoreFileDirectory")
    static let referrerPolicy = named("Referrer-Policy")
    static let crossOriginOpenerPolicy = named("Cross-Origin-Opener-Policy")
    static let acceptCharset = named("Accept-Charset")
    static let accelBuffering = named("X-Accel-Buffering")
    static let secFetchSite = named("Sec-Fetch-Site")
    static let lastEventID = named("Last-Event-ID")
    package static let forwardedProto = named("X-Forwarded-Proto")
    package static let forwardedFor = named("X-Forwarded-For")
    /// RFC 7239.
    static let forwarded = named("Forwarded")
    static let realIP = named("X-Real-IP")

    static func named(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .userAgent }
}
