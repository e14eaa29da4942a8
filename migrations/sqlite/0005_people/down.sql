DROP TABLE style_drafts;
DROP TABLE writing_styles;
ALTER TABLE accounts DROP COLUMN aliases;
