package classic

// CutOff ends the session without a word, as the end of this process would.
func (d *Deployment) CutOff() error { return d.session.Close() }
